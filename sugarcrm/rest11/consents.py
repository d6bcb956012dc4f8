"""Changes of email addresses themselves: opting out touches the address, not its people."""

from sugarcrm.crm import AddressPage, AddressState, Position
from sugarcrm.rest11 import filters
from sugarcrm.rest11.answers import Record
from sugarcrm.rest11.service import Service
from sugarcrm.rest11.values import flag_of, from_iso, text_of

_FIELDS = ("id", "date_modified", "email_address", "opt_out", "invalid_email", "deleted")


def addresses_changed(
    service: Service, since: str, after: Position | None, limit: int
) -> AddressPage:
    """Read addresses changed at `since` or later; the guides do not say that every server can."""
    where = filters.changed_behind(after) if after else filters.changed_since(since)
    told = service.page("EmailAddresses", where, _FIELDS, limit, order=filters.BY_CHANGE)
    states = tuple(_state(record) for record in told.records)
    if told.next_offset < 0 or not states:
        return AddressPage(states, None)
    return AddressPage(states, Position(states[-1].modified_at, states[-1].id))


def _state(record: Record) -> AddressState:
    return AddressState(
        id=text_of(record, "id"),
        address=text_of(record, "email_address"),
        modified_at=from_iso(text_of(record, "date_modified")),
        opted_out=flag_of(record, "opt_out"),
        invalid=flag_of(record, "invalid_email"),
    )
