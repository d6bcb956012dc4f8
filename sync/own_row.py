"""Under which id a form makes somebody, when its first choice may be somebody else by now."""

import msgspec

from sync.identity import is_another, normal_email, record_id

CLOCKS_APART_S = 3600  # SugarCRM's clock and ours are not further apart than that


class OwnIds(msgspec.Struct, frozen=True, kw_only=True):
    """The ids to choose from. The first one follows from the address, so that two forms of a
    person name one record; the second from the event, so that one event names one.

    `accepted_s` is when the event was accepted, in seconds since 1970.
    """

    address: str
    by_address: str
    by_event: str
    accepted_s: float

    @property
    def all(self) -> tuple[str, ...]:
        """Each once, the first choice first."""
        return tuple(dict.fromkeys((self.by_address, self.by_event)))


def own_ids_of(module: str, address: str, event: str, accepted_s: float) -> OwnIds:
    """Name the records that an event may make; `event` is its source and id."""
    address, by_event = normal_email(address), record_id(module, event)
    return OwnIds(
        address=address,
        by_address=record_id(module, address) if address else by_event,
        by_event=by_event,
        accepted_s=accepted_s,
    )


def own_id(ids: OwnIds, has_address: str, entered_s: float | None) -> str:
    """Choose, when the live row of the first choice has this address and was entered then.

    It is somebody else once it has another address. But one that was entered since the event was
    accepted may be of an earlier try whose end nobody saw: the address changed right after.
    """
    is_old = entered_s is not None and entered_s < ids.accepted_s - CLOCKS_APART_S
    moved = is_old and is_another(ids.address, has_address)
    return ids.by_event if moved else ids.by_address
