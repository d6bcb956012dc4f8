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

        self._later(save, LATE)

    def delete(self, crm_id):
        row = self.rows[crm_id]
        row.deleted, row.by, row.at = True, "somebody", self.now

    # What workers call

    def changed(self, since, after, limit):
        """Live and deleted rows in the order (stamp, id)."""
        self._may_lose()
        places = sorted((row.at, crm_id) for crm_id, row in self.rows.items() if row.at >= since)
        found = [place for place in places if after is None or place > after][:limit]
        return [(place, self._answer(place[1])) for place in found]

    def by_ids(self, crm_ids):
        self._may_lose()
        return {crm_id: self._answer(crm_id) for crm_id in crm_ids if crm_id in self.rows}

    def ids_by_email(self, address):
        self._may_lose()
        rows = self.rows.items()
        return [i for i, row in rows if row.values["email1"] == address and not row.deleted]

    def create(self, crm_id, values):
        blank = dict.fromkeys(FIELDS, "")
        started = self.now

        def save():
            if crm_id not in self.rows:
                stored = {field: kept(field, value) for field, value in values.items()}
                self.rows[crm_id] = Row(blank | stored, US, started)

        self._write(save)

    def update(self, crm_id, values):
        started = self.now
        self._write(lambda: self._save(crm_id, values, US, started))

    def _save(self, crm_id, values, by, started):
        row = self.rows.get(crm_id)
        if row is None or row.deleted:
            return False  # though the server answers as if it had been saved
        row.values.update({field: kept(field, value) for field, value in values.items()})
        row.by, row.at = by, max(row.at, started)
        return True

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
