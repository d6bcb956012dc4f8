"""A two-way sync in miniature: our decisions, a SugarCRM without transactions, and much bad luck.

Workers are generators; every `yield` is a place where one may be killed, put to sleep for longer
than its lease, or passed by another. The steps are those of workers/push.py and take_in.py.
"""

import random
from collections import Counter, deque
from collections.abc import Iterator

import msgspec

from sync.catalogue import FieldDef
from sync.identity import record_id
from sync.merge import Merge, Permission, merge
from sync.records import (
    Agreement,
    Intent,
    Record,
    Theirs,
    differs,
    settle_intents,
    with_intents,
)
from sync.settle import settle

OURS, THEIRS, BOTH = "only_ours", "only_theirs", "both"
FIELDS = (OURS, THEIRS, BOTH)
LENGTH = 12  # characters that SugarCRM keeps, without a word
CATALOGUE = {f: FieldDef(name=f, label=f, type="varchar", length=LENGTH) for f in FIELDS}
ALLOWED = Permission(push=frozenset(FIELDS), pull=frozenset(FIELDS))
PEOPLE, LEASE, CALL, OVERLAP = 4, 12, 3, 6  # the latter three in ticks
US = "us"


class LostError(Exception):
    """A call failed: before it was carried out, or only its answer."""


class FarEnd:
    """Rows, who modified them last, and when; people's edits show later than they are dated."""

    def __init__(self, luck: random.Random) -> None:
        self.rows: dict[str, dict[str, str]] = {}
        self.by: dict[str, str] = {}
        self.at: dict[str, int] = {}
        self.now = self.writes = 0
        self.failing = 0.08
        self.last_edit: dict[tuple[str, str], str] = {}
        self._late: list[tuple[int, int, str, dict[str, str]]] = []
        self._luck = luck

    def tick(self) -> None:
        self.now += 1
        for late in [late for late in self._late if late[0] <= self.now]:
            self._late.remove(late)
            _, dated, crm_id, values = late
            self._store(crm_id, values, "somebody", dated)
            self.last_edit |= {(crm_id, field): value for field, value in values.items()}

    def person_edits(self, crm_id: str, field: str, value: str) -> None:
        seen = self.now + self._luck.choice([0, 0, 1, 3])
        self._late.append((seen, self.now, crm_id, {field: value[:LENGTH]}))

    def read(self, crm_id: str) -> Theirs | None:
        self._network()
        row = self.rows.get(crm_id)
        return Theirs(values=dict(row), by_us=self.by[crm_id] == US) if row else None

    def write(self, crm_id: str, values: dict[str, str], *, creating: bool) -> None:
        self._network()
        if creating and crm_id in self.rows:
            raise LostError("duplicate key")
        self.writes += 1
        if creating or crm_id in self.rows:
            blank = dict.fromkeys(FIELDS, "") if creating else {}
            self._store(crm_id, blank | {f: v[:LENGTH] for f, v in values.items()}, US, self.now)
        self._network()

    def changed(self, since: int) -> list[tuple[int, str]]:
        self._network()
        return sorted((at, crm_id) for crm_id, at in self.at.items() if at >= since)

    def _store(self, crm_id: str, values: dict[str, str], who: str, at: int) -> None:
        self.rows[crm_id] = self.rows.get(crm_id, {}) | values
        self.by[crm_id], self.at[crm_id] = who, at

    def _network(self) -> None:
        if self._luck.random() < self.failing:
            raise LostError


class World:
    """The list, the far end and the workers of one simulation. `weakness` leaves a part out."""

    def __init__(self, seed: int, weakness: str = "") -> None:
        self.luck = random.Random(seed)  # noqa: S311  repeatable, guards nothing
        self.crm = FarEnd(self.luck)
        self.weakness = weakness
        start = dict.fromkeys(FIELDS, "init")
        self.list = {f"r{n}": Record(id=f"r{n}", version=1, values=start) for n in range(PEOPLE)}
        self.rings: dict[str, tuple[Intent, ...]] = {}
        self.dirty = set(self.list)
        self.lease = (0, 0)  # whose run it is, and until when
        self.cursor = self.tokens = self.edits = 0
        self.last_edit: dict[tuple[str, str], str] = {}
        self.running: list[Iterator[None]] = []
        self.asleep: deque[tuple[int, Iterator[None]]] = deque()

    def play(self) -> Counter[str]:
        """Live through edits and failures, then calm down; give what went wrong."""
        for _ in range(120):
            self._step(troubled=True)
        self.crm.failing = 0
        for _ in range(400):
            self._step(troubled=False)
        before = self.crm.writes
        for _ in range(200):
            self._step(troubled=False)
        return self._judge(self.crm.writes - before)

    def _step(self, *, troubled: bool) -> None:
        self.crm.tick()
        for worker in list(self.running):
            fate = self.luck.random()
            if troubled and fate < 0.04:
                self.running.remove(worker)  # killed
            elif troubled and fate < 0.07:
                self.running.remove(worker)  # a zombie: it goes on when its lease is another's
                self.asleep.append((self.crm.now + self.luck.choice([5, 20, 40]), worker))
            elif fate < 0.75:
                self._advance(worker)
        for awake in [pair for pair in self.asleep if pair[0] <= self.crm.now]:
            self.asleep.remove(awake)
            self.running.append(awake[1])
        while len(self.running) < 3:
            self.running.append(self._push())
        if self.crm.now % 4 == 0:
            self.running.append(self._pull())
        if troubled:
            self._edit()

    def _advance(self, worker: Iterator[None]) -> None:
        try:
            next(worker)
        except (StopIteration, LostError):
            self.running.remove(worker)

    def _edit(self) -> None:
        for _ in range(2):
            self.edits += 1
            name = self.luck.choice(sorted(self.list))
            value = f"u{self.edits}" + self.luck.choice(["", "&<'>", "-is-longer-than-that"])
            record = self.list[name]
            if self.luck.random() < 0.1:
                field = self.luck.choice([OURS, BOTH])
                self._put(record, {**record.values, field: value})
                self.dirty.add(name)
                self.last_edit[name, field] = value
            if self.luck.random() < 0.1 and record.crm_id in self.crm.rows:
                self.crm.person_edits(record.crm_id, self.luck.choice([THEIRS, BOTH]), value)

    def _put(self, record: Record, values: dict[str, str]) -> None:
        changed = msgspec.structs.replace(record, values=values, version=record.version + 1)
        self.list[record.id] = changed

    def _push(self) -> Iterator[None]:
        """One record, as workers/push.py and create.py go about it."""
        if not self.dirty:
            return
        name = self.luck.choice(sorted(self.dirty))
        token = self._leased()
        if not token:
            return
        yield
        record, ring = self.list[name], self._ring(name)
        own_id = record_id("Leads", name)
        if self.weakness == "random ids" and record.crm_id is None:
            own_id = f"{name}-{self.luck.random()}"
        crm_id = record.crm_id or own_id
        theirs = self.crm.read(crm_id)
        yield
        merged = self._merged(record, theirs, ring)
        back = None
        if merged.push:
            if self._fenced(token):
                return
            if self.weakness != "no intents":
                self.rings[name] = with_intents(ring, merged.push)
            yield
            if not self._renewed(token):
                return
            self.crm.write(crm_id, dict(merged.push), creating=theirs is None)
            yield
            back = self._read_back(crm_id, merged)
            if back is None:
                return
            yield
        self._commit(name, token, record, crm_id, merged, back, ring)
        self._free(token)

    def _leased(self) -> int:
        """Take the lease of the list's run; 0 when another worker holds it."""
        if self.lease[1] > self.crm.now and self.weakness != "no lease":
            return 0
        self.tokens += 1
        self.lease = (self.tokens, self.crm.now + LEASE)
        return self.tokens

    def _free(self, token: int) -> None:
        if self.lease[0] == token:
            self.lease = (token, 0)

    def _ring(self, name: str) -> tuple[Intent, ...]:
        return () if self.weakness == "no intents" else self.rings.get(name, ())

    def _merged(self, record: Record, theirs: Theirs | None, ring: tuple[Intent, ...]) -> Merge:
        if theirs is None:
            return Merge(pull={}, push=record.values, agreed={}, conflicts=())
        return merge(record, theirs, ring, ALLOWED, CATALOGUE)

    def _read_back(self, crm_id: str, merged: Merge) -> Theirs | None:
        if self.weakness == "no read-back":
            return Theirs(values=merged.push, by_us=True)
        return self.crm.read(crm_id)

    def _renewed(self, token: int) -> bool:
        if self._fenced(token):
            return False
        self.lease = (token, self.crm.now + LEASE)
        return True

    def _fenced(self, token: int) -> bool:
        return self.lease[0] != token and self.weakness != "no lease"

    def _commit(
        self,
        name: str,
        token: int,
        record: Record,
        crm_id: str,
        merged: Merge,
        back: Theirs | None,
        ring: tuple[Intent, ...],
    ) -> None:
        """Fenced, and only onto the version that was read."""
        if self._fenced(token) or self.list[name].version != record.version:
            return
        bound = msgspec.structs.replace(record, crm_id=crm_id)
        settled = settle(bound, merged, back, ring, CATALOGUE)
        self._store(settled.record)
        self.rings[name] = settle_intents(with_intents(ring, merged.push))
        if not (settled.again or differs(settled.record)):
            self.dirty.discard(name)

    def _store(self, record: Record) -> None:
        base = dict(record.base)
        if self.weakness == "single base":
            base = {f: Agreement(pair.ours, pair.ours) for f, pair in base.items()}
        self.list[record.id] = msgspec.structs.replace(
            record, base=base, version=record.version + 1
        )

    def _pull(self) -> Iterator[None]:
        """What changed since the cursor, as workers/pull.py and take_in.py go about it."""
        token = self._leased()
        if not token:
            return
        pages = self.crm.changed(self.cursor - OVERLAP)
        seen = {crm_id: (self.crm.rows[crm_id], self.crm.by[crm_id]) for _, crm_id in pages}
        yield
        if self._fenced(token):
            return
        for record in list(self.list.values()):
            if record.crm_id not in seen:
                continue
            row, who = seen[record.crm_id]
            theirs = Theirs(values=row, by_us=who == US)
            ring = self._ring(record.id)
            merged = merge(record, theirs, ring, ALLOWED, CATALOGUE)
            incoming = msgspec.structs.replace(merged, push={})
            settled = settle(record, incoming, None, ring, CATALOGUE).record
            if settled != record:
                self._store(settled)
            if merged.push:
                self.dirty.add(record.id)
        self.cursor = max([self.cursor, *(at for at, _ in pages)])
        self._free(token)

    def _judge(self, idle_writes: int) -> Counter[str]:
        bad = Counter[str]()
        bad["writes while idle"] = int(idle_writes > 0)
        bad["duplicates"] = int(len(self.crm.rows) != PEOPLE)
        for name, record in self.list.items():
            row = self.crm.rows.get(record.crm_id or "")
            if row is None:
                bad["missing"] += 1
                continue
            theirs = {f: self.crm.last_edit.get((record.crm_id or "", f)) for f in FIELDS}
            ours = {f: self.last_edit.get((name, f)) for f in FIELDS}
            bad["diverged"] += any(record.values[f][:LENGTH] != row[f] for f in FIELDS)
            bad["our edit lost"] += ours[OURS] is not None and row[OURS] != ours[OURS][:LENGTH]
            bad["their edit lost"] += theirs[THEIRS] is not None and row[THEIRS] != theirs[THEIRS]
        return +bad
