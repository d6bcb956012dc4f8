"""What people do on both sides, at random, and what they last said."""

import msgspec

from console.edits import add_record, edit_record, remove_record
from console.exits import MissingError, RefusedError
from console.questions import _answer_record
from store.records import Change
from sync.identity import normal_email
from sync.records import Record
from sync.rules import Rules
from sync.setup import PullSetup, PushSetup, SyncSetup
from tests.sync.simulated_crm import BAD, BEGAN_S, FLAGS, LATE, SOMEBODY, TICK_S, Stored, kept
from tests.sync.simulated_store import SimulatedRecords

ENDINGS = ("O'Brien & Co", "far longer than the field", "a<b>", "\r\n", "")
PUSHED = ("email1", "last_name", "loc", "both", "late", *FLAGS)
RULES = ("sugarcrm", "list", "recent", "ask")


class People:
    """`edited_here` and `edited_there` hold the last value by record or row, and field."""

    def __init__(self, luck, shelf, crm, endings, contacts):
        self.luck, self.shelf, self.crm, self.endings = luck, shelf, crm, endings
        self.contacts, self.edited_at, self.converted_at = contacts, {}, {}
        self.records = SimulatedRecords(shelf, quiet=True)
        self.edited_here, self.edited_there = {}, {}
        self.opted_out_here, self.opted_out_there = set(), {}  # there with the tick
        self.said_invalid = set()  # addresses
        self.removed, self.born_here, self.born_there, self.said = set(), 0, 0, 0
        self.left = []  # addresses that somebody had
        self.edited_there_at, self.met = {}, {}  # with the tick; what we wrote at that moment
        self.setups, self.nightly = [], False  # setups: (tick, setup)
        self.rules = Rules(default=luck.choice(RULES))
        self.deletes, self.ever_removed = luck.random() < 0.3, set()
        self.choose(PUSHED, None)

    # The setup

    def choose(self, pushed, pulled):
        setup = SyncSetup(
            push=PushSetup(
                add_new=True, update_existing=True, fields=tuple(pushed), delete=self.deletes
            ),
            pull=PullSetup(add_new=True, update_existing=True, fields=pulled),
            rules=self.rules,
        )
        self.setups.append((self.crm.stage.now, setup))
        self.shelf.of = msgspec.structs.replace(self.shelf.of, setup=setup)

    def permit_something_else(self):
        """Between runs: other fields may go out."""
        columns = self.shelf.of.columns
        some = [f for f in PUSHED if f in columns and self.luck.random() < 0.7]
        self.choose(some, None)

    def permit_all(self):
        self.choose([f for f in PUSHED if f in self.shelf.of.columns], None)

    def add_column(self):
        of = self.shelf.of
        if "late" not in of.columns:
            self.shelf.of = msgspec.structs.replace(of, columns=(*of.columns, "late"))

    # A moment

    def act(self):
        """Perhaps somebody does something."""
        luck = self.luck.random()
        if luck < 0.08:
            self._edit_here()
        elif luck < 0.15:
            for _ in range(self.luck.randint(1, 3)):
                self._edit_there()
        elif luck < 0.17:
            self._turn()

    def _edit_here(self):
        live = sorted(i for i, r in self.shelf.records.items() if r.gone is None)
        if live:
            record_id, (field, value) = self.luck.choice(live), self._an_edit("loc")
            if field in self.shelf.of.columns:
                self.edit_here(record_id, field, value)

    def edit_here(self, record_id, field, value):
        address = self.shelf.records[record_id].values.get("email1", "")
        if field == "email1":
            self.left_here(record_id, address, value)
        if (field, value) == ("invalid_email", "1"):
            self.said_invalid.add(normal_email(address))
        edit_record(self.records, self.shelf.of, record_id, {field: value})
        self.edited_here[record_id, field] = value
        self.edited_at[record_id, field] = self.crm.stage.now
        if field in FLAGS and value == "1":
            self.opted_out_here.add((record_id, field))

    def left_here(self, record_id, before, after):
        """A record has another address: that the old one was invalid is not said of it."""
        if normal_email(before) != normal_email(after):
            self.opted_out_here.discard((record_id, "invalid_email"))

    def were_given(self, record, values):
        """What waited in somebody who goes on as this record: said anew, unless it was said before
        what sales' contact has already.
        """
        for field, value in values.items():
            said_s = record.edited.get(field)
            told_at = (said_s - BEGAN_S) // TICK_S if said_s else self.crm.stage.now
            if not record.contact or told_at >= self.edited_at.get((record.id, field), -1):
                self.edited_here[record.id, field] = value
                self.edited_at[record.id, field] = told_at

    def _edit_there(self):
        live = self._live_rows()
        if live:
            field, value = self._an_edit("crm")
            self.edit_there(self.luck.choice(live), field, value.replace(BAD, ""))

    def edit_there(self, crm_id, field, value):
        started = self.crm.stage.now

        def save():
            if self.crm.save(crm_id, {field: value}, SOMEBODY, started):
                self._told_there(crm_id, field)
                if field == "email1":
                    self.left_address(crm_id, -1)

        if self.luck.random() < 0.5:
            save()
        else:
            self.crm.later(save)

    def _told_there(self, crm_id, field):
        value = self.crm.values_of(self.crm.rows[crm_id])[field]
        self.edited_there[crm_id, field] = value
        self.edited_there_at[crm_id, field] = self.crm.stage.now
        if (field, value) == ("invalid_email", "1"):
            self.said_invalid.add(normal_email(self.crm.rows[crm_id].values["email1"]))
        if field in FLAGS and value == "1":
            self.opted_out_there[crm_id, field] = self.crm.stage.now

    def left_address(self, crm_id, read_at, flags=FLAGS):
        """A row has another address: what was set since anybody read it belongs to the old one."""
        record = self.shelf.records.get(self.shelf.by_crm_id.get(crm_id))
        for flag in flags:
            known = record is not None and record.values.get(flag) == "1"
            if flag == "invalid_email":
                self.opted_out_there.pop((crm_id, flag), None)
            elif not known and self.opted_out_there.get((crm_id, flag), -1) > read_at:
                del self.opted_out_there[crm_id, flag]

    def _an_edit(self, own):
        field = self.luck.choice([*[own] * 6, *["both"] * 4, "late", "late", *FLAGS])
        return field, "1" if field in FLAGS else self._value()

    def _value(self):
        self.said += 1
        bad = BAD if self.luck.random() < 0.02 else ""
        return f"{self.said}{bad}{self.luck.choice(self.endings)}"

    # Larger things

    def _turn(self):
        turns = [
            self._delete,
            self._undelete,
            self._remove,
            self._take_back,
            self._merge,
            self._convert,
            self._move_here,
            self._move_there,
            self.by_sql,
            self.opt_out_by_link,
            self._create_here,
            self._create_there,
            self._create_both,
            self.add_column,
        ]
        self.luck.choice(turns)()

    def _live_rows(self):
        return sorted(i for i, row in self.crm.rows.items() if not row.deleted)

    def _live_records(self):
        return sorted(i for i, r in self.shelf.records.items() if r.gone is None)

    def _delete(self):
        if len(live := self._live_rows()) > 2:
            self.delete(self.luck.choice(live))

    def delete(self, crm_id):
        row = self.crm.rows[crm_id]
        row.deleted, row.by, row.at = True, SOMEBODY, self.crm.stage.now

    def _undelete(self):
        if gone := sorted(i for i, row in self.crm.rows.items() if row.deleted):
            crm_id = self.luck.choice(gone)
            row = self.crm.rows[crm_id]
            row.deleted, row.by, row.at = False, SOMEBODY, self.crm.stage.now
            if crm_id in self.crm.made_in_vain:
                # Within the round trip of our creation, which had no effect as the row was there,
                # hidden. It now looks as if somebody had changed at once what we made.
                for field in ("loc", "both", "late"):
                    self._told_there(crm_id, field)

    def _remove(self):
        if len(live := self._live_records()) > 2:
            record_id = self.luck.choice(live)
            remove_record(self.records, self.shelf.of, record_id)
            self.removed.add(record_id)
            self.ever_removed.add(record_id)

    def _take_back(self):
        """Somebody adds a person again who was removed; by address, as people are known by."""
        removed = sorted(self.removed & self.shelf.records.keys())
        mails = [self.shelf.records[i].values.get("email1", "") for i in removed]
        if found := [mail for mail in mails if mail]:
            self.create_here(self.luck.choice(found))

    def _merge(self):
        """Two records are merged: blanks of the survivor are filled, the loser is deleted."""
        if len(live := self._live_rows()) > 3:
            survivor, loser = self.luck.sample(live, 2)
            kept_row, gone = self.crm.rows[survivor], self.crm.rows[loser]
            if self.luck.random() < 0.5:  # the survivor takes over who it is
                for field in ("email1", "last_name"):
                    kept_row.values[field] = gone.values[field]
                kept_row.moved_at = self.crm.stage.now
                # Whoever merges saw both, and says that the rest of it is true of that person.
                for field in ("email1", "last_name", "loc", "both", "late"):
                    self._told_there(survivor, field)
                self.left_address(survivor, -1)
            for field in ("crm", "both"):
                if gone.values[field] and not kept_row.values[field]:
                    kept_row.values[field] = gone.values[field]
                    self._told_there(survivor, field)
            kept_row.by, kept_row.at = SOMEBODY, self.crm.stage.now
            self.delete(loser)

    def _convert(self):
        """A lead is converted to a contact, which its list takes in now or later."""
        rows = self.crm.rows
        if leads := [i for i in self._live_rows() if not rows[i].contact]:
            crm_id = self.luck.choice(leads)
            row, contact = rows[crm_id], f"contact of {crm_id}"
            row.contact, row.by, row.at = contact, SOMEBODY, self.crm.stage.now
            self.converted_at[crm_id] = self.crm.stage.now
            values = {**dict.fromkeys(self.contacts.of.columns, ""), "email1": row.values["email1"]}
            new = Change(before=None, after=Record(id=contact, crm_id=contact, values=values))
            self.crm.later(lambda: SimulatedRecords(self.contacts, quiet=True).commit([new]))

    def _move_here(self):
        if live := self._live_records():
            self.said += 1
            record_id = self.luck.choice(live)
            self.left.append(self.shelf.records[record_id].values.get("email1", ""))
            self.edit_here(record_id, "email1", f"Here{self.said}@example.com")

    def _move_there(self):
        if live := self._live_rows():
            self.said += 1
            address = f"There{self.said}@example.com"
            if self.luck.random() < 0.2:  # the one that somebody else has
                address = self.crm.rows[self.luck.choice(live)].values["email1"]
            self.edit_there(self.luck.choice(live), "email1", address)

    def by_sql(self):
        """An administrator changes a row, and the row does not tell."""
        if self.nightly and (live := self._live_rows()):
            crm_id = self.luck.choice(live)
            self.crm.rows[crm_id].values["crm"] = kept("crm", self._value().replace(BAD, ""))
            self._told_there(crm_id, "crm")

    def opt_out_by_link(self):
        """Somebody who gets mail says no more; everybody with the address is meant."""
        rows = self.crm.rows
        if mailed := [i for i in self._live_rows() if rows[i].values["email1"]]:
            address = normal_email(rows[self.luck.choice(mailed)].values["email1"])
            started, flag = self.crm.stage.now, self.luck.choice(FLAGS)
            self.crm.later(lambda: self._opt_out(address, flag, started))

    def _opt_out(self, address, flag, started):
        self.crm.flag(address, flag, started)
        if flag == "invalid_email":
            self.said_invalid.add(address)
        # Else the comparison of a night finds it, where there is one.
        for crm_id in self.crm.holders(address) if self.crm.lists_addresses or self.nightly else ():
            self.opted_out_there[crm_id, flag] = self.crm.stage.now

    def _create_here(self):
        self.said += 1
        some = ["", f"new{self.said}@example.com", *self.left[-1:]]  # one that somebody left
        self.create_here(self.luck.choice(some))

    def create_here(self, address):
        self.born_here += 1
        values = {"email1": address, "last_name": f"H{self.born_here}", "loc": self._value()}
        before = {i: r.values.get("email1", "") for i, r in self.shelf.records.items()}
        try:
            record = add_record(self.records, self.shelf.of, values)
        except (RefusedError, MissingError):
            return
        self.removed.discard(record.id)
        self.left_here(record.id, before.get(record.id, address), address)
        self.edited_here |= {(record.id, f): v for f, v in values.items() if f != "last_name"}
        for known in [key for key in self.edited_here if key[0] == record.id]:
            if known[1] in ("both", "late") and record.values.get(known[1]) is None:
                del self.edited_here[known]

    def _create_there(self):
        self.said += 1
        self.create_there(self.luck.choice(["", f"there{self.said}@example.com"]))

    def create_there(self, address):
        self.born_there += 1
        values = {"email1": address, "last_name": f"T{self.born_there}", "crm": self._value()}
        values = {f: kept(f, v.replace(BAD, "")) for f, v in values.items()}
        crm_id = f"{self.luck.randrange(16**8):08x}-there"
        self.crm.rows[crm_id] = Stored(SOMEBODY, self.crm.stage.now)
        self.crm.rows[crm_id].values.update(values)
        self.edited_there |= {(crm_id, f): v for f, v in values.items() if f != "last_name"}

    def _create_both(self):
        """The same new person comes to both sides at much the same time."""
        self.said += 1
        address = f"same{self.said}@example.com"
        first, second = self.luck.sample([self.create_here, self.create_there], 2)
        first(address)
        self.crm.saving.append(
            (self.crm.stage.now + self.luck.randint(1, 3 * LATE), lambda: second(address))
        )

    # The end

    def put_right(self):
        """Who was refused is corrected, and every question answered."""
        for record_id in self._live_records():
            record = self.shelf.records[record_id]
            for field, value in record.values.items():
                if BAD in value:
                    self.edit_here(record_id, field, value.replace(BAD, ""))
            if record.asked:
                take = self.luck.choice(["list", "sugarcrm"])
                _answer_record(self.records, record_id, sorted(record.asked), take)
                now = self.shelf.records[record_id].values
                self.left_here(record_id, record.values.get("email1", ""), now.get("email1", ""))
                if take == "sugarcrm":  # which may be older than the last edit of either side
                    answers = {(record_id, field): v for field, v in record.asked.items()}
                    self.edited_here.update(answers)
