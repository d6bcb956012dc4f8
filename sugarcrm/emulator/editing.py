"""An edit that somebody else makes in the browser."""

import random
import time

from sugarcrm.emulator.faults import inside, struck
from sugarcrm.emulator.journal import Journal
from sugarcrm.emulator.profiles import Dialect
from sugarcrm.emulator.reading import find
from sugarcrm.emulator.saving import save
from sugarcrm.emulator.service import Call, Service
from sugarcrm.emulator.users import User

EDITED_MODULES = ("Leads", "Contacts")
EDITOR = User(
    id="somebody-else",
    user_name="somebody",
    full_name="Somebody Else",
    is_admin=True,
    shows_full_names=True,
)


def edit_a_record(
    service: Service, dialect: Dialect, journal: Journal, choose: random.Random
) -> None:
    """Change the title and the mobile phone of a lead or contact, as the user `EDITOR`."""
    call = Call(service, dialect, "", EDITOR, {})
    module = service.schema[choose.choice(EDITED_MODULES)]
    place, mobile = choose.random(), f"+44 {choose.randrange(10**9, 10**10)}"
    struck.begin()
    with inside.done_late(service.faults, ["set_entry"]), service.database.turn:
        ids = service.database.rows(
            f"SELECT id FROM {module.table} WHERE deleted = 0 ORDER BY id"  # noqa: S608 own name
        )
        if not ids:
            return
        record_id = ids[int(place * len(ids))]["id"]
        sent = {"id": record_id, "title": f"Editor {mobile[-4:]}", "phone_mobile": mobile}
        with service.database.together():
            save(call, module, sent, find(call, module, record_id))
    service.faults.count("editors")
    journal.write(
        {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "user": EDITOR.user_name,
            "method": "(edit)",
            "module": module.name,
            "records": 1,
        }
    )
