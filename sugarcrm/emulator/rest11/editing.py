"""An edit that somebody else makes in the browser."""

import random
import time

from sugarcrm.emulator.editing import EDITED_MODULES, EDITOR
from sugarcrm.emulator.faults import inside, struck
from sugarcrm.emulator.journal import Journal
from sugarcrm.emulator.rest11.saving import update
from sugarcrm.emulator.rest11.site import Call, Request, Site


def edit_a_record(site: Site, journal: Journal, choose: random.Random) -> None:
    """Change the title and the mobile phone of a lead or contact, as the user `EDITOR`."""
    call = Call(site, EDITOR, Request("PUT", "", []))
    module = site.schema[choose.choice(EDITED_MODULES)]
    place, mobile = choose.random(), f"+44 {choose.randrange(10**9, 10**10)}"
    struck.begin()
    with inside.done_late(site.faults, ["set_entry"]), site.database.turn:
        ids = site.database.rows(
            f"SELECT id FROM {module.table} WHERE deleted = 0 ORDER BY id"  # noqa: S608 own name
        )
        if not ids:
            return
        record_id = ids[int(place * len(ids))]["id"]
        with site.database.together():
            changes = {"title": f"Editor {mobile[-4:]}", "phone_mobile": mobile}
            update(call, module, record_id, changes)
    site.faults.count("editors")
    journal.write(
        {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "user": EDITOR.user_name,
            "method": "(edit)",
            "module": module.name,
            "records": 1,
        }
    )
