"""A marketing list in memory, with the promises that store/ gives: all or nothing, and fenced."""

import msgspec

from sync.records import GONE_HERE

LEASE = 12  # ticks; several calls fit, as in the real settings


class StaleError(Exception):
    """A record is no longer what was read."""


class FencedError(Exception):
    """The lease went to another."""


class Run:
    def __init__(self):
        self.phase, self.began, self.page, self.place, self.up_to = "pull", 0, None, 0, None


class SimulatedList:
    """Records, intents and marks of one list, and the one run that is going on."""

    def __init__(self, clock, *, fences):
        self.clock, self.fences = clock, fences
        self.records, self.rings, self.creating, self.dirty = {}, {}, {}, {}
        self.changes = self.cursor = self.tokens = 0
        self.holder, self.until, self.run = 0, 0, None
        self.edited = {}  # what was edited here last, by record and field

    def tick(self, now):
        """Start a run now and then, unless one is going on."""
        if self.run is None and now % 6 == 0:
            self.run = Run()

    def acquire(self):
        """Give a token, None while another holds the lease."""
        if self.holder and self.until > self.clock.now:
            return None
        self.tokens += 1
        self.holder, self.until = self.tokens, self.clock.now + LEASE
        return self.tokens

    def renew(self, token):
        if self.fences:
            self._check(token)
            self.until = self.clock.now + LEASE

    def release(self, token):
        if self.holder == token:
            self.holder = 0

    def note(self, rings, creating, token):
        self._check(token)
        self.rings |= rings
        self.creating |= creating

    def commit(self, changes, token):
        """Each change: what was read, what is to be, whether to mark it, and its new ring."""
        self._check(token)
        for before, after, _, _ in changes:
            present = self.records.get(after.id)
            if (present and present.version) != (before and before.version):
                raise StaleError
        for before, after, dirty, ring in changes:
            version = before.version + 1 if before else 1
            self.records[after.id] = msgspec.structs.replace(after, version=version)
            self._mark(after.id, dirty)
            if ring is not None:
                self.rings[after.id] = ring
            self.creating.pop(after.crm_id, None)

    def edit(self, record_id, field, value):
        """What a person does in the list."""
        present = self.records[record_id]
        after = msgspec.structs.replace(present, values={**present.values, field: value})
        self.commit([(present, after, True, None)], None)
        self.edited[record_id, field] = value

    def remove(self, record_id):
        """Take a person out of the list; the tombstone keeps them out."""
        present = self.records[record_id]
        gone = msgspec.structs.replace(present, gone=GONE_HERE)
        self.commit([(present, gone, False, ())], None)

    def of_row(self, crm_id):
        """The record bound to a row, or set out to be created as it."""
        bound = next((r for r in self.records.values() if r.crm_id == crm_id), None)
        begun = self.records.get(self.creating.get(crm_id))
        return bound or (begun if begun and begun.crm_id is None else None)

    def unbound(self, address):
        """The first record with an address that is bound to no row."""
        found = (r for r in self.records.values() if r.values.get("email1") == address)
        return next((r for r in found if address and not r.crm_id and not r.gone), None)

    def waiting(self, after, up_to, count):
        found = sorted((number, record_id) for record_id, number in self.dirty.items())
        return [pair for pair in found if after < pair[0] <= up_to][:count]

    def _mark(self, record_id, dirty):
        if dirty:
            self.changes += 1
            self.dirty[record_id] = self.changes
        elif dirty is False:
            self.dirty.pop(record_id, None)

    def _check(self, token):
        if token is not None and self.fences and self.holder != token:
            raise FencedError
