"""A SugarCRM in memory with its bad habits: no transactions, lost answers, values changed.

It answers as `sugarcrm.crm.Crm` says; what goes wrong on the wire is what its clients let through.
"""

import html
from datetime import UTC, datetime

from sugarcrm.crm import (
    AddressPage,
    AddressState,
    Capabilities,
    Page,
    Position,
    Row,
    ServerInfo,
    Written,
)
from sugarcrm.errors import AmbiguousError, BusyError, RefusedError
from sync.canonical import is_set
from sync.catalogue import FieldDef
from sync.cursor import INSTANT
from sync.identity import normal_email
from tests.sync.stage import Killed

US, SOMEBODY = "1", "2"
BEGAN_S, TICK_S = 1_700_000_000, 10
LENGTH = 12  # of `loc` and `both`, in characters
LATE = 10  # ticks from the start of a save until others see it, at most: 100 of 120 s of overlap
FLAGS = ("email_opt_out", "invalid_email")
BAD = "\N{SECTION SIGN}"  # SugarCRM takes no record with it
FIELDS = tuple(
    FieldDef(name=name, label=name, type=kind, length=length)
    for name, kind, length in (
        ("email1", "varchar", None),
        ("last_name", "varchar", None),
        ("loc", "varchar", LENGTH),
        ("crm", "varchar", None),
        ("both", "varchar", LENGTH),
        ("email_opt_out", "bool", None),
        ("invalid_email", "bool", None),
        ("late", "varchar", None),
    )
)
CATALOGUE = {field.name: field for field in FIELDS}


def kept(field, value):
    """What the server makes of a value: one tag is purified away, the rest cut to length."""
    text = value.replace("<x>", "").strip()
    return text[:LENGTH].rstrip() if CATALOGUE[field].length else text


def instant(tick):
    """A tick as SugarCRM tells instants."""
    return datetime.fromtimestamp(BEGAN_S + tick * TICK_S, UTC).strftime(INSTANT)


class Stored:
    """A row but for its flags: who saved it last, and when that save began, when it was read."""

    def __init__(self, by, at):
        self.values, self.by, self.at = dict.fromkeys(CATALOGUE, ""), by, at
        self.deleted, self.read_at, self.contact = False, -1, ""  # contact: converted to it
        self.moved_at = -1  # when somebody gave it another address


ROUND_TRIP = 5  # ticks that a write takes which nothing delays
LOOKED = 40  # ticks from a worker's look at a row to its write, at most: it would be fenced else


class SimulatedCrm:
    """`trouble` is how often a call fails. `lists_deleted` and `lists_addresses` tell its sort."""

    def __init__(self, stage, luck, watch, *, trouble, lists_deleted, lists_addresses):
        self.stage, self.luck, self.watch, self.trouble = stage, luck, watch, trouble
        self.capabilities = Capabilities(lists_deleted=lists_deleted)
        self.by_position = False  # a weakness: answers are told apart by their place
        self.rows, self.saving, self.writes, self.seen_alone = {}, [], 0, {}
        self.made_in_vain = set()  # ids of ours that were there, deleted and hidden
        self.flags = {}  # by address, in any case of letters: those that are set
        self.flagged_at, self.lists_addresses = {}, lists_addresses  # by address: the last change

    def land(self):
        """Let saves that have ended be seen."""
        now = self.stage.now
        landing = [save for at, save in self.saving if at <= now]
        self.saving = [pair for pair in self.saving if pair[0] > now]
        for save in landing:
            save()

    # What workers call

    def server_info(self):
        gmt_time = instant(self.stage.now)
        return ServerInfo(
            product="sugarcrm", version="6.5.26", flavour="CE", gmt_time=gmt_time, dialect="v4_1"
        )

    def fields(self, module):
        return FIELDS

    def changed(self, module, fields, since, after, limit):
        with _Call(self):
            places = sorted((instant(row.at), i) for i, row in self.rows.items())
            start = (after.modified_at, after.id) if after else ("", "")
            found = [p for p in places if p[0] >= since and p > start]
            found = [p for p in found if self._lists(self.rows[p[1]])][:limit]
            return self._page([i for _, i in found], fields, limit)

    def by_id_range(self, module, fields, after_id, up_to_id, limit):
        with _Call(self):
            live = sorted(i for i, row in self.rows.items() if not row.deleted and i > after_id)
            return self._page(live[:limit], fields, limit)

    def by_ids(self, module, ids, fields):
        with _Call(self):
            known = [i for i in ids if i in self.rows and self._lists(self.rows[i])]
            self.made_in_vain -= set(ids) - set(known)
            return {i: self._told(i, fields) for i in known}

    def ids_by_email(self, module, emails):
        with _Call(self):
            found = {}
            for address in {email.strip().casefold() for email in emails}:
                holders = self.holders(address)
                self.seen_alone[self.stage.present, address] = not holders
                if holders:
                    found[address] = holders
            return found

    def addresses_changed(self, since, after, limit):
        if not self.lists_addresses:
            raise RefusedError("addresses are not listed")
        with _Call(self):
            places = sorted((instant(at), address) for address, at in self.flagged_at.items())
            start = (after.modified_at, after.id) if after else ("", "")
            found = [p for p in places if p[0] >= since and p > start][:limit]
            told = tuple(self._address(at, address) for at, address in found)
            full = len(told) == limit
            return AddressPage(told, Position(*found[-1]) if full else None)

    def count(self, module):
        with _Call(self):
            return sum(not row.deleted for row in self.rows.values())

    def create_many(self, module, drafts):
        started = self.stage.now
        saves = {d.id: lambda d=d: self._create(d.id, d.values, US, started) for d in drafts}
        self.watch.creates(drafts)
        return self._write(drafts, saves)

    def update_many(self, module, changes):
        started = self.stage.now
        saves = {d.id: lambda d=d: self.save(d.id, d.values, US, started) for d in changes}
        self.watch.updates(changes)
        return self._write(changes, saves)

    def delete_many(self, module, ids):
        """One after the other; any may be the last."""
        started = self.stage.now
        for crm_id in ids:
            self.stage.pause(awake=True)
            if self._fails():
                raise AmbiguousError("no answer")
            self.watch.deletes(crm_id)
            self.writes += 1
            row = self.rows[crm_id]
            row.deleted, row.by, row.at = True, US, max(row.at, started)
        return [Written(crm_id) for crm_id in ids]

    # Inside

    def holders(self, address):
        """The live rows with an address."""
        rows = self.rows.items()
        live = [(i, row) for i, row in rows if not row.deleted]
        return [i for i, row in live if row.values["email1"].casefold() == address]

    def save(self, crm_id, values, by, started):
        """Write to a row; a deleted one takes nothing, though the answer says so."""
        row = self.rows.get(crm_id)
        if row is None or row.deleted:
            return False
        moved = normal_email(values.get("email1", row.values["email1"]))
        if by == US and moved != normal_email(row.values["email1"]):
            self.watch.moves(crm_id, row)
        if moved != normal_email(row.values["email1"]):
            row.moved_at = self.stage.now
        elif by == US and values.get("invalid_email") == "1" and row.moved_at >= started - LOOKED:
            self.watch.flags_at_once(moved)
        plain = {field: kept(field, v) for field, v in values.items() if field not in FLAGS}
        if by == US and self.stage.now - started <= ROUND_TRIP:
            self.watch.writes_at_once(crm_id, plain, started)
        row.values.update(plain)
        if address := normal_email(row.values["email1"]):
            held = self.flags.setdefault(address, set())
            held |= {f for f in FLAGS if is_set(values.get(f, ""))}
            held -= {f for f in FLAGS if f in values and not is_set(values[f])}
            if values.keys() & set(FLAGS):
                self.flagged_at[address] = max(self.flagged_at.get(address, -1), started)
        row.by, row.at = by, max(row.at, started)
        return True

    def flag(self, address, flag, started):
        """Set a flag of an address as the link in a mail does: no row is touched."""
        self.flags.setdefault(address, set()).add(flag)
        self.flagged_at[address] = max(self.flagged_at.get(address, -1), started)

    def values_of(self, row):
        """All fields of a row; its flags are those of its address, and nobody's without one."""
        address = normal_email(row.values["email1"])
        held = self.flags.get(address, set())
        flags = {f: "10"[f not in held] if address else "" for f in FLAGS}
        conversion = {"converted": "01"[bool(row.contact)], "contact_id": row.contact}
        return row.values | flags | conversion

    def later(self, save):
        """Let a save end after a while, when nobody waits for it any more."""
        self.saving.append((self.stage.now + self.luck.randint(1, LATE), save))

    def _create(self, crm_id, values, by, started):
        if crm_id in self.rows:
            self.made_in_vain.add(crm_id)
            return
        self.watch.is_made(crm_id, values)
        self.rows[crm_id] = Stored(by, started)
        self.save(crm_id, values, by, started)

    def _write(self, drafts, saves):
        """A batch is no transaction: any record of it may be the last one that is saved, and the
        server may go on with the rest after nobody waits for it any more.

        A worker that is stopped between its look at the lease and its request for longer than
        the lease is not simulated: that moment cannot be closed, and is kept short.
        """
        self.stage.pause(awake=True)
        told = []
        for number, draft in enumerate(drafts):
            self.writes += 1
            if any(BAD in value for value in draft.values.values()):
                told.append(Written(draft.id, "it has a bad character"))
                continue
            if self._fails():
                self._cut_off([saves[d.id] for d in drafts[number:]])
            saves[draft.id]()
            self._goes_on([saves[d.id] for d in drafts[number + 1 :]])
        if self._fails():
            raise AmbiguousError("no answer")
        if self.by_position:
            left = [w for w in told if w.refused]
            return [
                Written(d.id, left[n].refused if n < len(left) else None)
                for n, d in enumerate(drafts)
            ]
        told += [Written(d.id) for d in drafts if d.id not in {w.id for w in told}]
        self.luck.shuffle(told)
        return told

    def _cut_off(self, saves):
        """Those before were saved; of these none, or all of them after a while."""
        if self.luck.random() < 0.5:
            for save in saves:
                self.later(save)
        raise AmbiguousError("no answer")

    def _goes_on(self, rest):
        """The server goes on with the rest, perhaps, when the worker that waits is killed."""
        try:
            self.stage.pause(awake=True)
        except Killed:
            if self.luck.random() < 0.5:
                for save in rest:
                    self.later(save)
            raise

    def _fails(self):
        return self.trouble and self.luck.random() < self.trouble

    def _lists(self, row):
        return self.capabilities.lists_deleted or not row.deleted

    def _address(self, at, address):
        out, invalid = (flag in self.flags[address] for flag in FLAGS)
        return AddressState(
            id=address, address=address, modified_at=at, opted_out=out, invalid=invalid
        )

    def _page(self, ids, fields, limit):
        rows = tuple(self._told(i, fields) for i in ids)
        full = len(rows) == limit
        return Page(rows, Position(rows[-1].modified_at, rows[-1].id) if full else None)

    def _told(self, crm_id, fields):
        """A row as sent, with entities, and as our client decodes it."""
        row = self.rows[crm_id]
        row.read_at = self.stage.now
        sent = {f: html.escape(v) for f, v in self.values_of(row).items() if f in fields}
        return Row(
            id=crm_id,
            modified_at=instant(row.at),
            modified_by=row.by,
            deleted=row.deleted,
            values={f: html.unescape(value) for f, value in sent.items()},
        )


class _Call:
    """The time that a reading call takes: others go on before and after, and it may fail."""

    def __init__(self, crm):
        self.crm = crm

    def __enter__(self):
        self.crm.stage.pause()
        if self.crm._fails():
            raise BusyError("no answer")

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.crm.stage.pause()
