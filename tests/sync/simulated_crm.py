"""A SugarCRM of the simplest kind, with its bad habits: no transactions, and values changed."""

import html
from random import Random

from sync.catalogue import FieldDef
from sync.records import Theirs

FIELDS = ("email1", "loc", "crm", "both", "email_opt_out")
US = "1"
LENGTH = 12  # of `loc` and `both`, in characters
LATE = 3  # ticks from the start of a save until others see it, at most
CATALOGUE = {
    "email1": FieldDef(name="email1", label="Email", type="varchar"),
    "loc": FieldDef(name="loc", label="Edited here", type="varchar", length=LENGTH),
    "crm": FieldDef(name="crm", label="Edited there", type="varchar"),
    "both": FieldDef(name="both", label="Edited on both sides", type="varchar", length=LENGTH),
    "email_opt_out": FieldDef(name="email_opt_out", label="Opt out", type="bool"),
}


class LostError(Exception):
    """The answer did not come; the request may have been carried out, or may yet be."""


def kept(field, value):
    """What the server makes of a value: one tag is purified away, the rest cut to length."""
    text = value.replace("<x>", "")
    return text[:LENGTH] if field in ("loc", "both") else text


class Row:
    def __init__(self, values, by, at):
        self.values, self.by, self.at, self.deleted = dict(values), by, at, False


class SimulatedCrm:
    """Rows by id. `now` is its clock; a save is stamped when it starts and seen when it ends."""

    def __init__(self, seed, trouble):
        self.random, self.trouble = Random(f"crm {seed}"), trouble  # noqa: S311  repeatable
        self.now, self.writes, self.rows, self.saving = 0, 0, {}, []
        self.edited = {}  # what a person saved last, by row and field
        self.edited_at, self.read_at = {}, {}  # when that was, and when a row was last read
        self.overwritten = 0  # edits within the round trip of a write of ours: not promised

    def tick(self):
        self.now += 1
        landing = [save for save in self.saving if save[0] <= self.now]
        self.saving = [save for save in self.saving if save[0] > self.now]
        for _, save in landing:
            save()

    # What people do there

    def add(self, crm_id, values):
        self.rows[crm_id] = Row(dict.fromkeys(FIELDS, "") | values, "somebody", self.now)

    def edit(self, crm_id, field, value):
        started = self.now

        def save():
            if self._save(crm_id, {field: value}, "somebody", started):
                self.edited[crm_id, field] = kept(field, value)
                self.edited_at[crm_id, field] = self.now

        self._later(save, LATE)

    def delete(self, crm_id):
        row = self.rows[crm_id]
        row.deleted, row.by, row.at = True, "somebody", self.now

    def merge(self, survivor, loser):
        """Somebody merges two records: blanks of the survivor are filled, the loser is deleted."""
        kept_row, gone = self.rows[survivor], self.rows[loser]
        for field, value in gone.values.items():
            if value and not kept_row.values[field]:
                kept_row.values[field] = self.edited[survivor, field] = value
        kept_row.by, kept_row.at = "somebody", self.now
        self.delete(loser)

    # What workers call

    def changed(self, since, after, limit):
        """Live and deleted rows in the order (stamp, id)."""
        self._may_lose()
        places = sorted((row.at, crm_id) for crm_id, row in self.rows.items() if row.at >= since)
        found = [place for place in places if after is None or place > after][:limit]
        return [(place, self._answer(place[1])) for place in found]

    def by_ids(self, crm_ids):
        self._may_lose()
        self.read_at.update(dict.fromkeys(crm_ids, self.now))
        return {crm_id: self._answer(crm_id) for crm_id in crm_ids if crm_id in self.rows}

    def ids_by_email(self, address):
        self._may_lose()
        rows = self.rows.items()
        return [i for i, row in rows if row.values["email1"] == address and not row.deleted]

    def create_many(self, batch):
        self._write_many([self._creation(crm_id, values) for crm_id, values in batch.items()])

    def update_many(self, batch):
        started = self.now
        saves = [
            lambda i=crm_id, v=values: self._save(i, v, US, started)
            for crm_id, values in batch.items()
        ]
        self._write_many(saves)

    def _creation(self, crm_id, values):
        started = self.now

        def save():
            if crm_id not in self.rows:
                stored = {field: kept(field, value) for field, value in values.items()}
                self.rows[crm_id] = Row(dict.fromkeys(FIELDS, "") | stored, US, started)

        return save

    def _write_many(self, saves):
        """A batch is no transaction: the server may die at any record, with those before it
        saved, and it may save the rest after nobody waits for it any more.
        """
        if self.random.random() < self.trouble:
            for save in saves[: self.random.randrange(len(saves))]:
                self.writes += 1
                save()
            raise LostError
        for number, save in enumerate(saves):
            try:
                self._write(save)
            except LostError:
                if self.random.random() < 0.5:
                    for rest in saves[number + 1 :]:
                        self._later(rest, LATE)
                raise

    def _save(self, crm_id, values, by, started):
        row = self.rows.get(crm_id)
        if row is None or row.deleted:
            return False  # though the server answers as if it had been saved
        if by == US:
            self._count_overwritten(crm_id, values)
        row.values.update({field: kept(field, value) for field, value in values.items()})
        row.by, row.at = by, max(row.at, started)
        return True

    def _count_overwritten(self, crm_id, values):
        """An edit that came between our read and our write is lost, and nobody can tell."""
        for field in values:
            place = (crm_id, field)
            if self.edited_at.get(place, -1) > self.read_at.get(crm_id, -1):
                self.overwritten += 1
                self.edited.pop(place, None)

    def _write(self, save):
        """Carry out, before or after the answer is lost, or even later."""
        self.writes += 1
        self._may_lose()
        if self.random.random() < self.trouble / 2:
            self._later(save, LATE)
            raise LostError
        save()
        self._may_lose()

    def _later(self, save, longest):
        self.saving.append((self.now + self.random.randint(1, longest), save))

    def _may_lose(self):
        if self.random.random() < self.trouble:
            raise LostError

    def _answer(self, crm_id):
        """A row as sent, with entities, and as our client decodes it."""
        row = self.rows[crm_id]
        sent = {field: html.escape(value) for field, value in row.values.items()}
        values = {field: html.unescape(value) for field, value in sent.items()}
        return row.deleted, Theirs(values=values, by_us=row.by == US)
