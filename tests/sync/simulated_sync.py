"""The steps of a sync as workers/ takes them, over the decisions of sync/.

Workers are generators: at every `yield` one may be killed, or paused until its lease is another's.
`weakness` leaves out one part of the design.
"""

import msgspec

from sync.identity import record_id
from sync.match import match
from sync.merge import Merge, Permission, merge
from sync.records import (
    GONE_HERE,
    GONE_THERE,
    Agreement,
    Record,
    Theirs,
    differs,
    recent,
    seen_intents,
    settle_intents,
    with_intents,
)
from sync.settle import rebased, settle
from tests.sync.simulated_crm import CATALOGUE, FIELDS, LATE, LostError
from tests.sync.simulated_list import FencedError, StaleError

OVERLAP = 2 * LATE  # ticks that a pull reads again
PAGE = BATCH = 3
PUSHED = frozenset({"loc", "both", "email_opt_out"})
ALLOWED = Permission(push=PUSHED, pull=frozenset(FIELDS))


class Sync:
    def __init__(self, crm, of, luck, weakness=""):
        self.crm, self.of, self.luck, self.weakness = crm, of, luck, weakness

    def deliver(self):
        """One message of the run that is going on; it ends early when anything fails."""
        run = self.of.run
        token = self.of.acquire() if run else None
        if token is None:
            return
        try:
            yield
            yield from (self.pull if run.phase == "pull" else self.push)(run, token)
        except (LostError, FencedError):
            pass  # the message comes again
        self.of.release(token)

    # Pull: workers/pull.py, take_in.py and meeting.py

    def pull(self, run, token):
        overlap = -1 if self.weakness == "no overlap" else OVERLAP
        since, newest = self.of.cursor - overlap, self.of.cursor
        run.began = run.began or self.crm.now
        while run.phase == "pull":
            page = self.crm.changed(since, run.page, PAGE)
            yield
            self.of.renew(token)
            while True:
                try:
                    changes = self.taken_in(page)
                    yield
                    self.of.commit(changes, token)
                    break
                except StaleError:
                    continue
            newest = max([newest, *(place[0] for place, _ in page)])
            if len(page) == PAGE:
                run.page = page[-1][0]
            else:  # with the commit, as it is fenced, too
                took = 0 if self.weakness == "no overlap" else self.crm.now - run.began
                self.of.cursor, run.phase = max(self.of.cursor, newest - took), "push"
            yield

    def taken_in(self, page):
        changes = []
        for (_, crm_id), (deleted, theirs) in page:
            record = self.of_row(crm_id, theirs) or self.by_address(crm_id, theirs)
            if record is None:
                changes += [] if deleted else [self.added(crm_id, theirs)]
            elif deleted:
                changes += [] if record.gone else [self.buried(record, crm_id)]
            else:
                gone = GONE_HERE if record.gone == GONE_HERE else None
                bound = msgspec.structs.replace(record, crm_id=crm_id, gone=gone)
                ring = self.ring(record.id)
                after, merged = self.observed(bound, theirs, ring)
                if after != record:
                    dirty = True if merged.push and not gone else None
                    changes.append((record, after, dirty, seen_intents(ring)))
        return changes

    def of_row(self, crm_id, theirs):
        if self.weakness == "binds by address":
            address = theirs.values["email1"]
            everybody = self.of.records.values()
            return next((r for r in everybody if address and r.values["email1"] == address), None)
        return self.of.of_row(crm_id)

    def buried(self, record, crm_id):
        if self.weakness == "no tombstones":  # as if it had never been there
            free = msgspec.structs.replace(record, crm_id=None, base={})
            return record, free, True, ()
        gone = msgspec.structs.replace(record, crm_id=crm_id, gone=GONE_THERE)
        return record, gone, False, ()

    def by_address(self, crm_id, theirs):
        record = self.of.unbound(theirs.values["email1"])
        if record is None:
            return None
        holders = self.crm.ids_by_email(record.values["email1"])
        taken = frozenset(i for i in holders if self.of.of_row(i))
        return record if match(holders, taken).crm_id == crm_id else None

    def added(self, crm_id, theirs):
        base = {field: Agreement(value, value) for field, value in theirs.values.items()}
        values = dict(theirs.values)
        return None, Record(id=crm_id, crm_id=crm_id, values=values, base=base), None, None

    def observed(self, record, theirs, ring):
        """What a row shows, merged into the record; what is to go out is only told."""
        if self.weakness == "ignores what our user wrote" and theirs.by_us:
            theirs = self.as_agreed(record, theirs)
        merged = merge(record, theirs, ring, ALLOWED, CATALOGUE)
        incoming = Merge(pull=merged.pull, push={}, agreed=merged.agreed, conflicts=())
        after = settle(record, incoming, None, ring, CATALOGUE).record
        return self.based(rebased(after, merged, theirs)), merged

    # Push: workers/push.py, recognise.py and create.py

    def push(self, run, token):
        if run.up_to is None:
            run.up_to = self.of.changes
        while waiting := self.of.waiting(run.place, run.up_to, BATCH):
            self.of.renew(token)
            records = [self.of.records[record_id] for _, record_id in waiting]
            live = [record for record in records if record.gone is None]
            bound = [record for record in live if record.crm_id]
            bound += yield from self.create([r for r in live if not r.crm_id], token)
            yield from self.update(bound, token)
            self.of.renew(token)
            run.place = waiting[-1][0]
            yield
        if self.of.run is run:
            self.of.run = None

    def create(self, records, token):
        matched, drafts = [], []
        for record in records:
            crm_id = yield from self.known_as(record)
            if crm_id is None:
                drafts.append((record, self.own_id(record)))
            else:
                matched.append((record, crm_id))
        yield from self.created(drafts, token)
        return self.bound(matched, token)

    def known_as(self, record):
        """What an earlier try made, or the one row with this address, or that with our id."""
        tried = [intent.value for intent in self.ring(record.id) if intent.field == "id"]
        begun = [i for i in self.crm.by_ids(tried) if not self.of_other(i, record)]
        yield
        if begun:
            return begun[-1]
        address = record.values["email1"]
        holders = self.crm.ids_by_email(address) if address else []
        yield
        answer = match(holders, frozenset(i for i in holders if self.of_other(i, record)))
        return answer.crm_id or next(iter(self.crm.by_ids([self.own_id(record)])), None)

    def of_other(self, crm_id, record):
        owner = self.of.of_row(crm_id)
        return owner is not None and owner.id != record.id

    def own_id(self, record):
        if self.weakness == "random ids":
            return f"{record.id} {self.luck.random()}"
        return record_id("Leads", record.values["email1"] or record.id)

    def created(self, drafts, token):
        if not drafts:
            return
        values = {r.id: {f: v for f, v in r.values.items() if v} for r, _ in drafts}
        rings = {r.id: self.ring(r.id) for r, _ in drafts}
        noted = {
            r.id: with_intents(rings[r.id], {"id": crm_id, **values[r.id]}, self.crm.now)
            for r, crm_id in drafts
        }
        self.note(noted, {crm_id: r.id for r, crm_id in drafts}, token)
        yield
        self.of.renew(token)
        self.crm.create_many({crm_id: values[record.id] for record, crm_id in drafts})
        yield
        rows = self.crm.by_ids([crm_id for _, crm_id in drafts])
        yield
        for record, crm_id in drafts:
            if crm_id in rows:
                bound = msgspec.structs.replace(record, crm_id=crm_id)
                merged = Merge(pull={}, push=values[record.id], agreed={}, conflicts=())
                row = rows[crm_id]
                self.settled(record, bound, merged, row, rings[record.id], noted[record.id], token)

    def bound(self, matched, token):
        met = []
        for record, crm_id in matched:
            after = msgspec.structs.replace(record, crm_id=crm_id)
            if self.commit_one((record, after, True, None), token):
                met.append(self.of.records[record.id])
        return met

    def update(self, records, token):
        rows = self.crm.by_ids([record.crm_id for record in records]) if records else {}
        yield
        plans = []
        for record in records:
            deleted, theirs = rows.get(record.crm_id, (True, None))
            if deleted:
                gone = msgspec.structs.replace(record, gone=GONE_THERE)
                self.commit_one((record, gone, False, None), token)
            else:
                ring = self.ring(record.id)
                plans.append((record, self.planned(record, theirs, ring), ring))
        sent = {record.crm_id: merged.push for record, merged, _ in plans if merged.push}
        noted = {r.id: with_intents(ring, merged.push, self.crm.now) for r, merged, ring in plans}
        self.note({r.id: noted[r.id] for r, merged, _ in plans if merged.push}, {}, token)
        yield
        self.of.renew(token)
        if sent:
            self.crm.update_many(sent)
            yield
        back = self.read_back(sent)
        yield
        for record, merged, ring in plans:
            row = back.get(record.crm_id)
            self.settled(record, record, merged, row, ring, noted[record.id], token)

    def as_agreed(self, record, theirs):
        values = {f: p.theirs for f, p in record.base.items() if f in theirs.values}
        return Theirs(values={**theirs.values, **values}, by_us=True)

    def planned(self, record, theirs, ring):
        if self.weakness == "ignores what our user wrote" and theirs.by_us:
            theirs = self.as_agreed(record, theirs)
        merged = merge(record, theirs, ring, ALLOWED, CATALOGUE)
        if self.weakness == "whole record" and merged.push:
            whole = {f: v for f, v in record.values.items() if f not in merged.pull}
            return msgspec.structs.replace(merged, push=whole)
        return merged

    def read_back(self, sent):
        if self.weakness == "no read-back":
            return {i: (False, Theirs(values=values, by_us=True)) for i, values in sent.items()}
        return self.crm.by_ids(list(sent)) if sent else {}

    def settled(self, before, record, merged, row, ring, noted, token):
        """Commit one record with what the row shows after the write."""
        deleted, theirs = row or (False, None)
        noted = settle_intents(noted)
        if deleted:
            gone = msgspec.structs.replace(record, gone=GONE_THERE)
            self.commit_one((before, gone, False, noted), token)
            return
        settled = settle(record, merged, theirs, ring, CATALOGUE)
        after = self.based(settled.record)
        if theirs is not None and self.weakness != "no read-back":
            after, _ = self.observed(after, theirs, noted)
        self.commit_one((before, after, settled.again or differs(after), noted), token)

    # What both share

    def ring(self, name):
        return recent(self.of.rings.get(name, ()), self.crm.now)

    def note(self, rings, creating, token):
        if self.weakness != "no intents":
            self.of.note(rings, creating, token)

    def based(self, record):
        if self.weakness != "single base":
            return record
        base = {field: Agreement(pair.ours, pair.ours) for field, pair in record.base.items()}
        return msgspec.structs.replace(record, base=base)

    def commit_one(self, change, token):
        before, after, dirty, ring = change
        ring = None if self.weakness == "no intents" else ring
        try:
            self.of.commit([(before, after, dirty, ring)], token)
        except StaleError:
            return False
        return True
