"""Consent: opt-outs and invalid addresses that moved nobody's date_modified.

An opt-out by the link in a mail, or by way of another record with the address, changes the address
record alone (measured on SuiteCRM and on SugarCRM CE), so a pull of changed people misses it.
"""

from collections.abc import Iterator, Sequence

import structlog

from store.records import RunNotes
from sugarcrm.crm import AddressPage, AddressState, Row
from sugarcrm.errors import RefusedError
from sugarcrm.lost import TurnedAwayError
from sync.canonical import is_set
from sync.consent import CONSENT_FIELDS, INVALID, OPT_OUT
from sync.cursor import with_overlap
from sync.records import REMOVED
from workers.places import ENDED, place_of, position_of
from workers.steps import Step, now_text
from workers.take_in import Intake, take_in

log = structlog.get_logger(__name__)

CONSENT_AT = "consent_at"  # up to when addresses were read, on SugarCRM's clock


def consent_since(here: Step) -> str:
    """From when on addresses are to be read; ask before a pull, which moves the list's cursor.

    A place in the future, as earlier versions could store it, would hide what changes until then.
    """
    reached, cursor = here.records.state(CONSENT_AT), here.records.state("cursor_at")
    return reached if reached and here.until_now(reached) == reached else cursor


def sweep_consent(here: Step, intake: Intake, since: str) -> bool:
    """Take restrictions of addresses into the list's people; False when time was up before the
    end. What an address no longer says clears nothing.
    """
    for page in address_pages(here, here.place("consent"), since):
        if not here.goes_on():
            return False
        here.renew()
        _take_in(here, intake, page)
    return True


def address_pages(here: Step, place: str, since: str) -> Iterator[AddressPage]:
    """Read the addresses that changed `since`, from `place` on, which is where the page before
    ended (`place_of`), or "". None where the list has no flags, or SugarCRM lists no addresses.
    """
    if not CONSENT_FIELDS & set(here.of.synced) or place == ENDED:
        return
    after, rows = position_of(place), here.app.knobs.page_rows
    while True:
        try:
            page = here.app.crm().addresses_changed(with_overlap(since), after, rows)
        except TurnedAwayError:
            raise  # whoever said that knows no rights
        except RefusedError as error:
            log.info("addresses are not listed here", run=here.run.id, problem=str(error))
            return
        yield page
        if page.after is None:
            return
        after = page.after


def _take_in(here: Step, intake: Intake, page: AddressPage) -> None:
    """Merge what is restricted as if its people had come with it, and note the place reached."""
    rows = restricted(here, page.addresses)
    said = {one.address: flags for one in page.addresses if (flags := _flags(one))}
    intake.restricted(said, ())
    places = {"progressed_at": now_text(), "place:consent": place_of(page.after)}
    newest = page.addresses[-1].modified_at if page.addresses else ""
    state = {CONSENT_AT: here.until_now(newest)} if newest else {}
    notes = RunNotes(run_id=here.run.id, set=places)
    take_in(intake, rows, notes=notes, fence=here.fence, state=state)


def restricted(here: Step, addresses: Sequence[AddressState]) -> list[Row]:
    """Give a row of nothing but its restrictions for everybody in the list who has one of these
    addresses, if it is restricted, and who is not restricted so already.
    """
    said = {one.address: one for one in addresses if one.opted_out or one.invalid}
    ids = here.records.ids_by_emails(list(said)) if said else {}
    known = here.records.get_many([record_id for some in ids.values() for record_id in some])
    # An address tells nothing of a tombstone: its row may be deleted still. Who was removed from
    # the list may be taken back, and said no all the same.
    alive = (None, *REMOVED)
    living = {i: r for i, r in known.items() if r.crm_id and r.gone in alive}
    return [
        _row(record.crm_id or "", said[address])
        for address, some in ids.items()
        for record in (living[i] for i in some if i in living)
        if not all(is_set(record.values.get(flag, "")) for flag in _flags(said[address]))
    ]


def _flags(state: AddressState) -> set[str]:
    flags = {OPT_OUT: state.opted_out, INVALID: state.invalid}
    return {name for name, is_so in flags.items() if is_so}


def _row(crm_id: str, state: AddressState) -> Row:
    """A row of nothing but the restrictions: what it leaves out is not touched."""
    values = dict.fromkeys(_flags(state), "1")
    return Row(
        id=crm_id,
        modified_at="",
        modified_by="",
        deleted=False,
        values=values,
        of_address=state.address,
    )
