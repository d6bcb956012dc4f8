"""Consent: opt-outs and invalid addresses that moved nobody's date_modified.

An opt-out by the link in a mail, or by way of another record with the address, changes the address
record alone (measured on SuiteCRM and on SugarCRM CE), so a pull of changed people misses it.
"""

from collections.abc import Sequence

import structlog

from store.records import RunNotes
from sugarcrm.crm import AddressState, Position, Row
from sugarcrm.errors import RefusedError
from sync.cursor import with_overlap
from sync.merge import CONSENT_FIELDS
from sync.records import REMOVED
from workers.imports import ENDED
from workers.steps import Step, now_text
from workers.take_in import Intake, take_in

log = structlog.get_logger(__name__)

_PLACE = "consent_at"


def sweep_consent(here: Step, intake: Intake) -> bool:
    """Take restrictions of addresses into the list's people; False when time was up before the
    end. What an address no longer says clears nothing.
    """
    place = here.place("consent")
    if not CONSENT_FIELDS & set(here.of.synced) or place == ENDED:
        return True
    begun = here.records.state(_PLACE) or here.records.state("cursor_at")
    since, after = with_overlap(begun), _position(place)
    while True:
        if not here.goes_on():
            return False
        here.renew()
        try:
            rows = here.app.knobs.page_rows
            page = here.app.crm().addresses_changed(since, after, rows)
        except RefusedError as error:
            log.info("addresses are not listed here", run=here.run.id, problem=str(error))
            return True
        _take_in(here, intake, page.addresses, page.after)
        if page.after is None:
            return True
        after = page.after


def _position(place: str) -> Position | None:
    """Where a delivery before this one stopped: many addresses may have one instant."""
    modified_at, _, address_id = place.partition("|")
    return Position(modified_at, address_id) if address_id else None


def _take_in(
    here: Step, intake: Intake, addresses: Sequence[AddressState], after: Position | None
) -> None:
    """Merge what is restricted as if its people had come with it, and note the place reached."""
    restricted = {one.address: one for one in addresses if one.opted_out or one.invalid}
    ids = here.records.ids_by_emails(list(restricted)) if restricted else {}
    known = here.records.get_many([record_id for some in ids.values() for record_id in some])
    # An address tells nothing of a tombstone: its row may be deleted still. Who was removed from
    # the list may be taken back, and said no all the same.
    alive = (None, *REMOVED)
    living = {i: r.crm_id for i, r in known.items() if r.crm_id and r.gone in alive}
    rows = [
        _row(living[record_id], restricted[address])
        for address, some in ids.items()
        for record_id in some
        if record_id in living
    ]
    reached = f"{after.modified_at}|{after.id}" if after else ENDED
    places = {"progressed_at": now_text(), "place:consent": reached}
    state = {_PLACE: addresses[-1].modified_at} if addresses else {}
    notes = RunNotes(run_id=here.run.id, set=places)
    take_in(intake, rows, notes=notes, fence=here.fence, state=state)


def _row(crm_id: str, state: AddressState) -> Row:
    """A row of nothing but the restrictions: what it leaves out is not touched."""
    flags = {"email_opt_out": state.opted_out, "invalid_email": state.invalid}
    values = {name: "1" for name, is_so in flags.items() if is_so}
    return Row(id=crm_id, modified_at="", modified_by="", deleted=False, values=values)
