"""Writing many records in few calls, so that one bad record is found and the others written."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sugarcrm.crm import Draft, Written
from sugarcrm.errors import AmbiguousError, CrmError, RefusedError
from sugarcrm.lost import ServerFailedError, TooManyError, TurnedAwayError

MOST_RECORDS = 100  # of rest/v11 no limit is documented; guides and open clients send 50 to 100
_RECORD_COSTS_S = 0.1  # five times what a server took a record

FAILED = "the server failed on this record"
NOT_SAVED = "the server did not save it; is the right to write this record missing?"

Told = Mapping[str, str | None]  # by id: None acknowledged, a text refused; absent: unknown
Send = Callable[[Sequence[Draft]], Told]
Applied = Callable[[Sequence[Draft]], set[str]]  # reads; returns the ids that show the write


def batch_size(deadline_s: float) -> int:
    """How many records a call may hold and still end well within the deadline."""
    return max(1, min(MOST_RECORDS, int(deadline_s / _RECORD_COSTS_S)))


def write_in_batches(
    drafts: Sequence[Draft], *, size: int, send: Send, applied: Applied
) -> list[Written]:
    """Write `drafts` in order; tells for each whether the server refused it.

    Raises:
        AmbiguousError: an answer was lost; some may have been written.
        TurnedAwayError: something before SugarCRM lets nothing through, reads neither.
    """
    outcome: dict[str, Written] = {}
    for start in range(0, len(drafts), size):
        for written in _write_batch(drafts[start : start + size], send, applied):
            outcome[written.id] = written
    return [outcome[draft.id] for draft in drafts]


def _write_batch(batch: Sequence[Draft], send: Send, applied: Applied) -> Iterator[Written]:
    """Write one batch. The server works in order and stops dead at a record it fails on.

    What it did before that is committed (measured), so it is read; the first record that does not
    show is tried alone, and the rest goes on as a batch.
    """
    rest = list(batch)
    while len(rest) > 1:
        try:
            told = send(rest)
        except TooManyError:
            half = len(rest) // 2
            for fewer in (rest[:half], rest[half:]):
                yield from _write_batch(fewer, send, applied)
            return
        except ServerFailedError:
            shown = _read(applied, rest)
        except TurnedAwayError:
            yield from _write_each(rest, send, applied)
            return
        except RefusedError as error:
            yield from (Written(draft.id, str(error)) for draft in rest)
            return
        else:
            yield from _outcomes(rest, told, applied)
            return
        yield from (Written(draft.id) for draft in rest if draft.id in shown)
        rest = [draft for draft in rest if draft.id not in shown]
        if rest:
            yield _write_alone(rest.pop(0), send, applied)
    if rest:
        yield _write_alone(rest[0], send, applied)


def _write_each(batch: Sequence[Draft], send: Send, applied: Applied) -> Iterator[Written]:
    """Write what does not show yet record by record: something before the server may mind one.

    Raises:
        TurnedAwayError: reads are turned away, too: it is the moment's fault and no record's.
    """
    shown = applied(batch)
    for draft in batch:
        yield Written(draft.id) if draft.id in shown else _write_alone(draft, send, applied)


def _write_alone(draft: Draft, send: Send, applied: Applied) -> Written:
    try:
        told = send([draft])
    except ServerFailedError:
        if draft.id in _read(applied, [draft]):
            return Written(draft.id)
        return Written(draft.id, FAILED, failed=True)
    except TurnedAwayError as error:
        landed = draft.id in applied([draft])
        return Written(draft.id) if landed else Written(draft.id, str(error), failed=True)
    except RefusedError as error:
        return Written(draft.id, str(error))
    return next(iter(_outcomes([draft], told, applied)))


def _outcomes(batch: Sequence[Draft], told: Told, applied: Applied) -> Iterator[Written]:
    """Give what is known of each; a record of which nothing was told is read.

    One that may not even be read was not saved: the server did answer, and left it out.
    """
    doubtful = [draft for draft in batch if draft.id not in told]
    try:
        shown = applied(doubtful) if doubtful else set()
    except TurnedAwayError as error:
        raise _unread(error) from None
    except RefusedError:
        shown = set()
    except CrmError as error:
        raise _unread(error) from None
    for draft in batch:
        if draft.id in told:
            yield Written(draft.id, told[draft.id])
        else:
            yield Written(draft.id, None if draft.id in shown else NOT_SAVED)


def _read(applied: Applied, drafts: Sequence[Draft]) -> set[str]:
    try:
        return applied(drafts)
    except CrmError as error:
        raise _unread(error) from None


def _unread(error: CrmError) -> AmbiguousError:
    return AmbiguousError(f"a write failed, and what it did could not be read: {error}")
