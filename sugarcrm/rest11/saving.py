"""Many writes in one call, judged one by one: /bulk itself answers success whatever is in it."""

from collections.abc import Mapping, Sequence

import msgspec

from sugarcrm.batches import NOT_SAVED
from sugarcrm.crm import Draft, Written
from sugarcrm.errors import AmbiguousError, BusyError
from sugarcrm.rest11.answers import BulkItem
from sugarcrm.rest11.refusals import RETRIED_SOON, label_of
from sugarcrm.rest11.service import Part, Service

# May have been done all the same: a broken-off save, or a creation under an id that exists.
_DOUBTFUL = frozenset({409, 422, 424})
_NOT_NOW = frozenset({401, 412, 429, 503})


class Saved(msgspec.Struct, frozen=True):
    """What a record is after a write, as far as is read of it."""

    id: str = ""


class Outcomes:
    """What the answers to one set of writes said, by the id in the draft."""

    def __init__(self) -> None:
        self.told: dict[str, str | None] = {}
        self._reasons: dict[str, str] = {}
        self.kept_as: dict[str, str] = {}

    def take(self, batch: Sequence[Draft], items: Sequence[BulkItem]) -> Mapping[str, str | None]:
        """Judge the answers; a draft that is not in the result must be read.

        Raises:
            AmbiguousError: some were done, others must be tried again.
            BusyError: nothing was done, and may be the next time.
        """
        told: dict[str, str | None] = {}
        later = [item.status for item in items if item.status in _NOT_NOW]
        for draft, item in zip(batch, items, strict=False):
            self._judge(draft, item, told)
        if later and any(reason is None for reason in told.values()):
            raise AmbiguousError(f"POST bulk: HTTP {later[0]} for some of the records in it")
        if later:
            raise BusyError(f"POST bulk: HTTP {later[0]} for the records in it")
        return told

    def worded(self, written: Written) -> Written:
        """Give the server's reason where a record that was read had not been saved."""
        kept_as = self.kept_as.get(written.id)
        if written.refused is None:
            return Written(written.id, kept_as=kept_as)
        if written.refused == NOT_SAVED:
            return Written(written.id, self._reasons.get(written.id, NOT_SAVED))
        return written

    def _judge(self, draft: Draft, item: BulkItem, told: dict[str, str | None]) -> None:
        if 200 <= item.status < 300:
            kept_as = _id_in(item.contents)
            if kept_as is None:
                return
            if kept_as.casefold() != draft.id.casefold():
                self.kept_as[draft.id] = kept_as
            told[draft.id] = None
            return
        label = label_of(bytes(item.contents)) or "no reason given"
        reason = f"the server refused it: HTTP {item.status} ({label})"
        if item.status in _DOUBTFUL or item.status >= 500 or not item.status:
            self._reasons[draft.id] = reason
        elif item.status not in _NOT_NOW | RETRIED_SOON:
            told[draft.id] = reason


def save(
    service: Service, batch: Sequence[Draft], parts: Sequence[Part], outcomes: Outcomes
) -> Mapping[str, str | None]:
    """Send `parts`, one for each draft of `batch`, and judge what came back."""
    return outcomes.take(batch, service.parts(parts, writes=True))


def _id_in(contents: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(contents, type=Saved).id or None
    except msgspec.MsgspecError:
        return None
