"""A look at what a server does with what it is sent, on leads of its own that are removed again."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, runtime_checkable

import msgspec

from sugarcrm.crm import Crm, Draft, Module
from sugarcrm.errors import CrmError, RefusedError
from sugarcrm.lost import ServerFailedError
from sync.findings import Findings, FourBytes, TooLong

MODULE: Module = "Leads"
MOST_ROWS = 1000  # of a page that is tried
TEXT = 'He said "it\'s" & 1 < 2 > 0, Zoë, Łódź, 東京'
ENTITIES = "AT&amp;T &lt;b&gt;"
EMOJI = "before 😀 after"
LONG = "x" * 300  # into a field of 100
_STATUS = "New"  # an enum: older servers die on one in a batch
_CLOCK_FORM = "%Y-%m-%d %H:%M:%S"
# Sorted by name they stand neither in the order of their creation nor in its reverse.
_NAMES = ("Probe B", "Probe C", "Probe A")

Found = dict[str, object]


class Scratch(Protocol):
    """Leads that are made for a look, and nobody else's."""

    def new_id(self) -> str: ...
    def known_as(self, record_id: str, kept_as: str) -> None: ...
    def new_address(self) -> str: ...
    def write_together(self, drafts: Sequence[Draft]) -> bool: ...
    def write_raw(self, record_id: str, values: Mapping[str, str]) -> None: ...
    def sorted_ids(self, api: str, ids: Sequence[str], order: str) -> list[str]: ...
    def discard(self, record_id: str) -> bool: ...
    def discard_addresses(self) -> bool: ...


@runtime_checkable
class Probed(Protocol):
    """A client whose server can be looked at."""

    def scratch(self) -> Scratch:
        """Make a place for scratch leads."""

    def offered(self) -> tuple[str, ...]:
        """The API versions that may be used."""


def find_out(crm: Crm, now: Callable[[], datetime]) -> Findings | None:
    """Look at the server behind `crm`; None for a client that offers no scratch leads.

    What fails on one question leaves that open, and the others are asked all the same.

    Raises:
        BusyError: not even the scratch leads could be made now.
        RefusedError: leads cannot be written here.
    """
    if not isinstance(crm, Probed):
        return None
    look = _Look(crm, crm.scratch(), crm.offered())
    found: Found = {}
    unknown: dict[str, str] = {}
    try:
        found |= look.clock(now)
        found |= look.prepare()
        for question, answers in look.questions():
            try:
                found |= question()
            except CrmError as error:
                unknown |= dict.fromkeys(answers, str(error))
    finally:
        left_behind = look.clear_away()
    at = now().isoformat(timespec="seconds")
    return msgspec.convert(
        {"found_at": at, **found, "left_behind": left_behind, "unknown": unknown}, Findings
    )


class _Look:
    """One look: its leads, and a question a method."""

    def __init__(self, crm: Crm, scratch: Scratch, offered: tuple[str, ...]) -> None:
        self._crm, self._scratch, self._offered = crm, scratch, offered
        self._ids = sorted(scratch.new_id() for _ in _NAMES)
        self._address = scratch.new_address()

    def questions(self) -> tuple[tuple[Callable[[], Found], tuple[str, ...]], ...]:
        """Every question, with the findings that it answers."""
        return (
            (self.batch, ("batch_writes",)),
            (self.text, ("text_kept", "entities_kept")),
            (self.emoji, ("four_bytes",)),
            (self.length, ("too_long",)),
            (self.lookup, ("finds_by_email",)),
            (self.order, ("ordered_apis",)),
            (self.keyset, ("keyset",)),
            (self.opt_out, ("opt_out_updates",)),
            (self.page, ("page_rows",)),
        )

    def clock(self, now: Callable[[], datetime]) -> Found:
        before, told = now(), self._crm.server_info().gmt_time
        between = before + (now() - before) / 2
        try:
            theirs = datetime.strptime(told, _CLOCK_FORM).replace(tzinfo=UTC)
        except ValueError:
            return {}
        return {"clock_ahead_s": round((theirs - between).total_seconds(), 1)}

    def prepare(self) -> Found:
        """Make the leads, one after the other: whether batches can be trusted is not known yet."""
        takes_ids = True
        for record_id, name in zip(tuple(self._ids), _NAMES, strict=True):
            # A server that gives ids of its own takes nobody who could not be found by address.
            address = self._address if name == _NAMES[0] else self._scratch.new_address()
            values = {"last_name": name, "status": _STATUS, "email1": address}
            (told,) = self._crm.create_many(MODULE, [Draft(record_id, values)])
            if told.refused:
                raise RefusedError(told.refused)
            if told.kept_as:
                self._scratch.known_as(record_id, told.kept_as)
                self._ids[self._ids.index(record_id)] = told.kept_as
                takes_ids = False
        return {"takes_ids": takes_ids}

    def batch(self) -> Found:
        """Batches are trusted when every record of one shows what was written."""
        drafts = [
            Draft(i, {"description": f"batch {i}", "status": _STATUS, "refered_by": "batch"})
            for i in self._ids
        ]
        try:
            acknowledged = self._scratch.write_together(drafts)
        except (RefusedError, ServerFailedError):
            return {"batch_writes": False}
        rows = self._crm.by_ids(MODULE, self._ids, ["description"])
        shown = all(rows[d.id].values.get("description") == f"batch {d.id}" for d in drafts)
        return {"batch_writes": acknowledged and shown}

    def text(self) -> Found:
        kept = self._kept(self._ids[0], description=TEXT, title=ENTITIES)
        return {
            "text_kept": kept["description"] == TEXT,
            "entities_kept": kept["title"] == ENTITIES,
        }

    def emoji(self) -> Found:
        kept = self._kept(self._ids[1], description=EMOJI)["description"]
        verdict: FourBytes = "replaced" if kept.endswith("after") else "cut"
        return {"four_bytes": "kept" if kept == EMOJI else verdict}

    def length(self) -> Found:
        try:
            kept = self._kept(self._ids[2], first_name=LONG)["first_name"]
        except RefusedError:
            return {"too_long": "refused"}
        verdict: TooLong = "cut" if kept and LONG.startswith(kept) else "refused"
        return {"too_long": "kept" if kept == LONG else verdict}

    def lookup(self) -> Found:
        found = self._crm.ids_by_email(MODULE, [self._address])
        return {"finds_by_email": found.get(self._address) == [self._ids[0]]}

    def order(self) -> Found:
        by_name = [i for _, i in sorted(zip(_NAMES, self._ids, strict=True))]
        sort = self._scratch.sorted_ids
        sorting = [
            api
            for api in self._offered
            if sort(api, self._ids, "last_name asc, id asc") == by_name
            and sort(api, self._ids, "last_name desc, id asc") == by_name[::-1]
        ]
        return {"ordered_apis": sorting}

    def keyset(self) -> Found:
        """Whether rows behind an id can be asked for; a server that does not heed it gives all."""
        first, *_, last = sorted(self._ids)
        rows = self._crm.by_id_range(MODULE, (), first, last, len(self._ids)).rows
        inside = [first.casefold() < row.id.casefold() <= last.casefold() for row in rows]
        return {"keyset": bool(rows) and all(inside)}

    def opt_out(self) -> Found:
        told = self._crm.update_many(MODULE, [Draft(self._ids[0], {"email_opt_out": "1"})])
        row = self._crm.by_ids(MODULE, [self._ids[0]], ["email_opt_out"])[self._ids[0]]
        return {"opt_out_updates": not told[0].refused and row.values.get("email_opt_out") == "1"}

    def page(self) -> Found:
        """A server that cuts pages short without a word would look as if it had no more rows."""
        expected = min(MOST_ROWS, self._crm.count(MODULE))
        rows = self._crm.by_id_range(MODULE, (), "", None, MOST_ROWS).rows
        return {"page_rows": MOST_ROWS if len(rows) >= expected else max(1, len(rows))}

    def clear_away(self) -> list[str]:
        """Remove what was made; gives the ids of leads that may be left."""
        left = [i for i in self._ids if not _done(partial(self._scratch.discard, i))]
        _done(self._scratch.discard_addresses)  # one left behind is nobody's, and harms nobody
        return left

    def _kept(self, record_id: str, **values: str) -> dict[str, str]:
        self._scratch.write_raw(record_id, values)
        row = self._crm.by_ids(MODULE, [record_id], list(values))[record_id]
        return {name: row.values.get(name, "") for name in values}


def _done(removal: Callable[[], bool]) -> bool:
    """Whether it came about; what did not is told in the findings, for a person to see to."""
    try:
        return removal()
    except CrmError:
        return False
