"""The store in memory, with the promises that store/ gives: all or nothing, compared, fenced."""

import contextlib
from types import SimpleNamespace

import msgspec

from store.leases import Fence, HeldError
from store.records import FencedError, RunNotes, StaleRecordsError
from store.runs import RunMissingError
from sync.following import is_to_follow
from sync.identity import normal_email
from sync.runs import Run
from tests.sync.simulated_crm import CATALOGUE, TICK_S, US

LEASE_TICKS = 40  # several calls fit, as in the real settings


class Shelf:
    """What is stored. `weak` names the parts of the design that are left out."""

    def __init__(self, stage, of, watch, weak):
        self.stage, self.of, self.watch, self.weak = stage, of, watch, weak
        self.records, self.by_crm_id, self.dirty, self.intents = {}, {}, {}, {}
        self.creating, self.state, self.runs, self.found = {}, {}, {}, {}
        self.leases, self.tokens, self.active = {}, 0, None


class SimulatedRecords:
    """`store.records.Records`, and its intents. People's hands (`quiet`) are never stopped."""

    def __init__(self, shelf, *, quiet=False):
        self.shelf, self.quiet, self.intents = shelf, quiet, self

    def __len__(self):
        return sum(record.gone is None for record in self.shelf.records.values())

    # Records

    def get_many(self, ids):
        return {i: self.shelf.records[i] for i in ids if i in self.shelf.records}

    def by_crm_ids(self, crm_ids):
        if "bound by address" in self.shelf.weak:
            return self.shelf.watch.by_address_of(crm_ids)
        found = {c: self.shelf.by_crm_id[c] for c in crm_ids if c in self.shelf.by_crm_id}
        return {c: self.shelf.records[i] for c, i in found.items() if i in self.shelf.records}

    def all_bound(self):
        return len(self.shelf.records) == len(self.shelf.by_crm_id)

    def ids_by_email(self, address):
        return self.ids_by_emails([address])[address]

    def ids_by_emails(self, addresses):
        records = sorted(self.shelf.records.values(), key=lambda r: r.id)
        mails = [(normal_email(r.values.get("email1", "")), r.id) for r in records]
        return {a: [i for mail, i in mails if mail and mail == normal_email(a)] for a in addresses}

    def scan(self, batch=500):
        yield list(self.shelf.records.values())

    def scan_page(self, cursor, batch=500):
        return 0, list(self.shelf.records.values())

    def bound_count(self):
        return sum(bool(r.crm_id and r.gone is None) for r in self.shelf.records.values())

    def following(self):
        return sorted(i for i, record in self.shelf.records.items() if is_to_follow(record))

    def dirty(self, after, up_to, count):
        waiting = sorted((n, i) for i, n in self.shelf.dirty.items() if after < n <= up_to)
        return [(i, n) for n, i in waiting[:count]]

    def dirty_count(self):
        return len(self.shelf.dirty)

    def last_change(self):
        return int(self.state("changes") or 0)

    def state(self, name):
        return self.shelf.state.get(name, "")

    def commit(
        self, changes=(), *, notes=None, fence=None, state=None, by="", told=(), looked_at=""
    ):
        self._stop()
        shelf, notes = self.shelf, notes or RunNotes()
        self._check(fence)
        stale = [c for c in changes if self._is_stale(c)]
        if stale and "no comparison" not in shelf.weak:
            raise StaleRecordsError([(c.after or c.before).id for c in stale])
        if not self.quiet:
            shelf.watch.commits(changes)
        for change in changes:
            self._write(change)
        if notes.run_id in shelf.runs:
            shelf.runs[notes.run_id] |= notes.set
        shelf.state |= state or {}

    def _is_stale(self, change):
        before, after = change.before, change.after
        present = self.shelf.records.get((after or before).id)
        if (present and present.version) != (before and before.version):
            return True
        if after is None and change.intents is None and before.id in self.shelf.intents:
            return True
        bound = self.shelf.by_crm_id.get(after.crm_id) if after and after.crm_id else None
        return bound is not None and bound != after.id

    def _write(self, change):
        shelf, before, after = self.shelf, change.before, change.after
        record_id = (after or before).id
        if after is None:
            shelf.records.pop(record_id, None)
        else:
            version = shelf.records[record_id].version + 1 if record_id in shelf.records else 1
            base = shelf.watch.stored_base(after.base)
            shelf.records[record_id] = msgspec.structs.replace(after, version=version, base=base)
        self._bind(record_id, before.crm_id if before else None, after.crm_id if after else None)
        if after is not None and change.dirty:
            changes = self.last_change() + 1
            shelf.state["changes"], shelf.dirty[record_id] = str(changes), changes
        elif after is None or change.dirty is False:
            shelf.dirty.pop(record_id, None)
        if after is None or change.intents == ():
            shelf.intents.pop(record_id, None)
        elif change.intents and "no own-write ring" not in shelf.weak:
            shelf.intents[record_id] = change.intents

    def _bind(self, record_id, was, is_now):
        if was == is_now:
            return
        if was:
            self.shelf.by_crm_id.pop(was, None)
        if is_now:
            self.shelf.by_crm_id[is_now] = record_id
            self.shelf.creating.pop(is_now, None)

    # Intents

    def of(self, ids):
        return {i: self.shelf.intents[i] for i in ids if i in self.shelf.intents}

    def note(self, rings, fence, *, creating=None):
        self._stop()
        self._check(fence)
        erased = rings.keys() - self.shelf.records.keys()
        if "no own-write ring" not in self.shelf.weak:
            self.shelf.intents |= {i: ring for i, ring in rings.items() if i not in erased}
            self.shelf.creating |= creating or {}
        return erased

    def creating(self, crm_ids):
        return {c: self.shelf.creating[c] for c in crm_ids if c in self.shelf.creating}

    def _stop(self):
        if not self.quiet:
            self.shelf.stage.pause()

    def _check(self, fence):
        if fence is None or "no fence" in self.shelf.weak:
            return
        token, until = self.shelf.leases.get(fence.key, (0, 0))
        if token != fence.token or until <= self.shelf.stage.now:
            raise FencedError("the lease ended")


class SimulatedLease:
    def __init__(self, shelf, key, token):
        self.shelf, self.key, self.token = shelf, key, token

    def renew(self):
        self.shelf.stage.pause()
        fences = "no fence" not in self.shelf.weak
        if fences and not self._is_ours():
            return False
        self.shelf.leases[self.key] = (self.token, self.shelf.stage.now + LEASE_TICKS)
        return True

    def release(self):
        worker = self.shelf.stage.present
        if self._is_ours() and not (worker and worker.dead):
            self.shelf.leases.pop(self.key)

    def _is_ours(self):
        token, until = self.shelf.leases.get(self.key, (0, 0))
        return token == self.token and until > self.shelf.stage.now


class SimulatedRuns:
    """Runs of the one list. A move queues its message in the same step."""

    def __init__(self, shelf):
        self.shelf = shelf

    def start(self, run):
        self.shelf.active = run.id
        fields = {k: v for k, v in msgspec.to_builtins(run).items() if isinstance(v, str)}
        self.shelf.runs[run.id] = fields
        self.shelf.stage.send((run.phase, run.id))

    def get(self, run_id):
        if run_id not in self.shelf.runs:
            raise RunMissingError(run_id)
        plain = {k: v for k, v in self.shelf.runs[run_id].items() if k in Run.__struct_fields__}
        return msgspec.convert(plain, Run, strict=False)

    def find(self, run_id):
        return self.get(run_id) if run_id in self.shelf.runs else None

    def place(self, run_id, name):
        return self.shelf.runs[run_id].get(f"place:{name}", "")

    def remember(self, run_id, name, value):
        self.shelf.stage.pause()
        return self.shelf.runs[run_id].setdefault(f"place:{name}", value)

    def note_found(self, run_id, what, crm_ids):
        self.shelf.stage.pause()
        self.shelf.found.setdefault((run_id, what), set()).update(crm_ids)

    def found(self, run_id, what):
        return sorted(self.shelf.found.get((run_id, what), ()))

    def waits_for(self, run_id, problem, *, at=""):
        pass

    def move(self, run_id, before, after, at, then):
        self.shelf.stage.pause()
        if self.shelf.runs[run_id]["phase"] == before:
            self.shelf.runs[run_id]["phase"] = after
            self.shelf.stage.send((after, run_id))

    def finish(self, run, phase, at, problem=""):
        self.shelf.stage.pause()
        if self.shelf.active == run.id:
            self.shelf.active = None
        if self.shelf.runs[run.id]["phase"] not in ("done", "failed"):
            self.shelf.runs[run.id] |= {"phase": phase, "problem": problem}


class Unwatched:
    """Stands for the watch over a list that nothing is expected of but what it holds."""

    def commits(self, changes):
        """Nothing is forbidden there."""

    def stored_base(self, base):
        """As it is."""
        return base


class SimulatedApp:
    """What actors read and write, as far as a sync of one list goes; `contacts` is another one."""

    def __init__(self, shelf, contacts, crm):
        self.shelf, self._crm, self.runs = shelf, crm, SimulatedRuns(shelf)
        rows = shelf.stage.luck.choice((3, 50, 50))
        self.knobs = SimpleNamespace(lease_s=LEASE_TICKS * TICK_S, page_rows=rows, push_rows=5)
        self.plans = SimpleNamespace(
            begin=lambda *_: None,
            add=lambda *_: True,
            complete=lambda *_: None,
            known=lambda *_: {},
            get=lambda _: SimpleNamespace(counts={}),
        )
        self.lists = SimpleNamespace(
            get=lambda _: shelf.of,
            all=lambda: [shelf.of, contacts.of],
            records=lambda of: SimulatedRecords(shelf if of.id == shelf.of.id else contacts),
        )
        connection = SimpleNamespace(user_id=US, findings=None)
        self.connector = SimpleNamespace(active=lambda: connection)
        self.fields = SimpleNamespace(catalogue=lambda _: CATALOGUE)
        self.suppression = SimpleNamespace(among=lambda *_: set(), changes=lambda: "0")
        self.programs = SimpleNamespace(all=dict)
        self.leases = SimpleNamespace(acquire=self._acquire, held=self._held)

    def crm(self):
        return self._crm

    def _acquire(self, name, lease_s):
        shelf, key = self.shelf, f"lease:{name}"
        shelf.stage.pause()
        _, until = shelf.leases.get(key, (0, 0))
        if until > shelf.stage.now:
            raise HeldError(name, (until - shelf.stage.now) * TICK_S)
        shelf.tokens += 1
        shelf.leases[key] = (shelf.tokens, shelf.stage.now + LEASE_TICKS)
        return SimulatedLease(shelf, key, shelf.tokens)

    @contextlib.contextmanager
    def _held(self, name, lease_s):
        lease = self._acquire(name, lease_s)
        try:
            yield lease
        finally:
            lease.release()


def fence_of(lease):
    """The fence of a lease."""
    return Fence(lease.key, lease.token)
