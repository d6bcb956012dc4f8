"""One life of a list, from a seed: troubled at first, then calm, then idle; and what it came to.

The steps of the sync are the real ones of workers/, and people of the list type the real commands
of console/. The store, SugarCRM and the clock are simulated.
"""

from collections import Counter
from contextlib import ExitStack
from random import Random
from types import SimpleNamespace
from unittest import mock
from uuid import UUID

import structlog
import time_machine

from console import edits
from sync.canonical import is_set, same
from sync.consent import INVALID
from sync.following import waiting
from sync.identity import is_another, normal_email
from sync.lists import MarketingList
from sync.runs import Run, first_phase
from sync.setup import PullSetup, SyncSetup, permission
from tests.loop import conftest  # noqa: F401  binds the actors to a broker, as the first to do so
from tests.sync.simulated_crm import BEGAN_S, CATALOGUE, FLAGS, TICK_S, SimulatedCrm, kept
from tests.sync.simulated_people import ENDINGS, People
from tests.sync.simulated_store import Shelf, SimulatedApp, Unwatched
from tests.sync.stage import Stage
from tests.sync.weaknesses import weakened
from workers import comparing, consent, following, planning, pull, push, steps, sweep
from workers.programs import programs_first

TROUBLED, DAY, RUN_EVERY, IDLE = 600, 24 * 3600 // TICK_S, 12, 200  # ticks
SILENT = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(50))
STUCK = 2000  # ticks in which a few runs of nothing have long come to their end
COMPARED = 0.2  # of all runs
FAILS = 0.03  # of all calls, in troubled times
PHASES = {
    "guard": planning.plan,
    "pull": pull.pull,
    "compare": comparing.compare,
    "sweep": sweep.sweep,
    "follow": following.follow,
    "fill": pull.fill,
    "programs": programs_first,
    "push": push.push,
}


class Watch:
    """Sees what is written, and whether it was permitted."""

    def __init__(self, world):
        self.world, self.found = world, Counter()
        self.made, self.made_twice = {}, set()

    def updates(self, drafts):
        allowed = self._allowed("push")
        wrong = [d for d in drafts if not d.values.keys() <= allowed]
        self.found["pushed unpermitted"] += len(wrong)

    def creates(self, drafts):
        """Whoever creates somebody has looked for their address before, and seen nobody."""
        crm = self.world.crm
        mails = [normal_email(draft.values.get("email1", "")) for draft in drafts]
        known = [m for m in mails if m and not crm.seen_alone.get((self.world.stage.present, m))]
        self.found["made though known"] += len(known)

    def deletes(self, crm_id):
        """A row is deleted by us: the list says so, and the person was removed from it."""
        people, record_id = self.world.people, self.world.shelf.by_crm_id.get(crm_id)
        asked = people.deletes and record_id in people.ever_removed
        self.found["deleted unasked"] += not asked

    def is_made(self, crm_id, values):
        """A row is made by us, once for each name."""
        crm = self.world.crm
        earlier = self.made.setdefault(values["last_name"], crm_id)
        # One that was deleted before we saw it does not exist for a server that hides deletions.
        row = crm.rows.get(earlier)
        hidden = row and row.deleted and not crm.capabilities.lists_deleted
        # Merged into somebody else before we saw it, it is that person now.
        other = row and is_another(values.get("email1", ""), row.values["email1"])
        if earlier != crm_id and not hidden and not other:
            self.made_twice.add(values["last_name"])

    def moves(self, crm_id, row):
        """We give a row another address. What was set on the old one after we looked stays there,
        and what we may not write.
        """
        mute = [flag for flag in FLAGS if flag not in self._allowed("push")]
        self.world.people.left_address(crm_id, row.read_at)
        self.world.people.left_address(crm_id, -1, mute)

    def writes_at_once(self, crm_id, values, started):
        """We write a field that somebody edits at that very moment: either may stand."""
        people = self.world.people
        for field, value in values.items():
            if people.edited_there_at.get((crm_id, field), -1) >= started:
                people.met.setdefault((crm_id, field), set()).add(value)

    def flags_at_once(self, address):
        """We say that an address is invalid at the moment at which somebody gave the row another
        one: a SugarCRM without transactions takes it for that.
        """
        self.world.people.said_invalid.add(address)

    def commits(self, changes):
        allowed = self._allowed("pull")
        for change in changes:
            if change.before and change.after:
                was, now = change.before.values, change.after.values
                moved = {f for f, v in now.items() if f in was and was[f] != v}
                mails = was.get("email1", ""), now.get("email1", "")
                self.world.people.left_here(change.after.id, *mails)
                if normal_email(mails[0]) != normal_email(mails[1]) and not is_set(
                    now.get(INVALID, "")
                ):
                    moved.discard(INVALID)  # it was said of the address that goes
                given = self._given(change)
                self.found["pulled unpermitted"] += not moved - given.keys() <= allowed
                self.world.people.were_given(change.after, given)

    def _given(self, change):
        """What the record was given of somebody who goes on as it: from then on an edit here."""
        here = change.moved.here if change.moved and change.moved.what == ("edited",) else {}
        return {field: after for field, (_, after) in here.items()}

    def by_address_of(self, crm_ids):
        """A weakness: the records that have the addresses of these rows."""
        records, rows = self.world.shelf.records.values(), self.world.crm.rows
        known = {normal_email(r.values.get("email1", "")): r for r in records}
        mails = {i: normal_email(rows[i].values["email1"]) for i in crm_ids if i in rows}
        return {i: known[mail] for i, mail in mails.items() if mail and mail in known}

    def stored_base(self, base):
        return self.world.weakness.base(base)

    def _allowed(self, way):
        """What was permitted at any moment since the worker that is at it began."""
        world = self.world
        worker, columns = world.stage.present, world.shelf.of.columns
        since = worker.began if worker else world.stage.now
        setups = world.people.setups
        before = [s for at, s in setups if at <= since][-1:]
        during = [s for at, s in setups if at > since]
        return set().union(*(getattr(permission(s, columns), way) for s in before + during))


class World:
    """One installation: a SugarCRM, a list, workers, and the people on both sides."""

    def __init__(self, seed, weakness="", endings=ENDINGS):
        self.luck = Random(f"world {seed}")  # noqa: S311  repeatable
        self.weakness = weakened(weakness, self)
        self.stage = Stage(self.luck, self.tick)
        self.watch = Watch(self)
        self.crm = SimulatedCrm(
            self.stage,
            self.luck,
            self.watch,
            trouble=FAILS,
            lists_deleted=self.luck.random() < 0.7,
            lists_addresses=self.luck.random() < 0.7,
        )
        columns = tuple(f for f in CATALOGUE if f != "late")
        of = MarketingList(id="people", title="People", module="Leads", columns=columns)
        self.shelf = Shelf(self.stage, of, self.watch, {weakness})
        self.shelf.state["filled"] = ",".join(columns)
        takes_new = SyncSetup(pull=PullSetup(add_new=True))
        to = MarketingList(
            id="contacts", title="C", module="Contacts", columns=columns, setup=takes_new
        )
        self.contacts = Shelf(self.stage, to, Unwatched(), set())
        self.people = People(self.luck, self.shelf, self.crm, endings, self.contacts)
        self.app, self.runs = SimulatedApp(self.shelf, self.contacts, self.crm), 0
        self.nightly = self.luck.random() < 0.5  # the others have no SQL to fear
        self.compared = COMPARED if self.nightly else 0.0
        self.people.nightly = self.nightly

    def people_come(self):
        """Those who are there when it begins."""
        for n in range(3):
            self.people.create_here(f"here{n}@example.com" if n else "")
            self.people.create_there(f"there{n}@example.com" if n else "")
        self.people.create_here("both@example.com")
        self.people.create_there("Both@Example.com")

    def live(self):
        """Give what went wrong, if anything."""
        with ExitStack() as stack:
            self.clock = stack.enter_context(time_machine.travel(BEGAN_S, tick=False))
            stack.enter_context(mock.patch.object(steps, "send", self.send))
            for module in (pull, planning, comparing):
                stack.enter_context(mock.patch.object(module, "read_ahead", read_ahead))
            stack.enter_context(mock.patch.object(steps, "BUDGET_S", 1e9))
            for module in (steps, consent):
                stack.enter_context(mock.patch.object(module, "log", SILENT))
            stack.enter_context(
                mock.patch.object(edits, "uuid", SimpleNamespace(uuid4=self.new_id))
            )
            self.weakness.enter(stack)
            try:
                self.people_come()
                idle_writes = self._troubled_calm_idle()
            finally:
                self.stage.close()
        if self.stage.crash is not None:
            raise self.stage.crash
        return self.faults(idle_writes)

    def traced(self):
        """Live, and give all that came of it: the same for the same seed."""
        faults = self.live()
        rows = [(i, row.values, row.by, row.at) for i, row in sorted(self.crm.rows.items())]
        records = [
            (i, r.version, sorted(r.values.items())) for i, r in sorted(self.shelf.records.items())
        ]
        return dict(faults), self.stage.now, self.crm.writes, rows, records

    def _troubled_calm_idle(self):
        stage = self.stage
        stage.play(TROUBLED, self.deliver)
        self.crm.trouble = 0
        stage.calm(self.deliver)
        self.people.add_column()
        self.people.permit_all()
        self.settle()
        self.people.opt_out_by_link()
        self.settle(runs=1)
        stage.now += DAY  # who was deleted unseen is found once a day
        self.people.put_right()
        self.settle()
        self.people.put_right()
        self.people.by_sql()
        self.compared = float(self.nightly)  # the last night
        self.settle()
        before = self.crm.writes
        self.settle(ticks=IDLE)
        return self.crm.writes - before

    def settle(self, runs=3, ticks=0):
        """Let some runs go by with nobody else about."""
        last, at_least, stage = self.runs + runs, self.stage.now + ticks, self.stage
        stuck_at = stage.now + STUCK
        while stage.crash is None and (self.runs <= last or stage.now < at_least):
            if stage.now > stuck_at:
                self.watch.found["never ends"] += 1
                return
            stage.play_alone(stage.now + RUN_EVERY, self.deliver)

    def tick(self):
        """What else happens while workers work."""
        self.clock.move_to(BEGAN_S + self.stage.now * TICK_S)
        self.crm.land()
        if self.shelf.active is None and self.stage.now % RUN_EVERY == 0:
            if self.stage.troubled and self.luck.random() < 0.3:
                self.people.permit_something_else()
            self.runs += 1
            of, run_id = self.shelf.of, f"run{self.runs}"
            kind = "compare" if self.luck.random() < self.compared else "sync"
            phase = first_phase(kind, of.setup)
            self.app.runs.start(Run(id=run_id, list=of.id, kind=kind, phase=phase))
        if self.stage.troubled:
            self.people.act()

    def deliver(self, message):
        phase, run_id = message
        PHASES[phase](self.app, run_id)

    def send(self, phase, *args):
        self.stage.pause()
        self.stage.send((phase, *args))

    def new_id(self):
        """An id that follows from the seed."""
        return UUID(int=self.luck.getrandbits(128), version=4)

    # What it came to

    def faults(self, idle_writes):
        found = self.watch.found + Counter({"writes when idle": idle_writes})
        found["made twice"] = len(self.watch.made_twice)
        found["failed runs"] = sum(run["phase"] == "failed" for run in self.shelf.runs.values())
        records = self.shelf.records
        bound = Counter(r.crm_id for r in records.values() if r.crm_id)
        found["bound twice"] = sum(count > 1 for count in bound.values())
        left_out = {i for i, row in self.crm.rows.items() if not row.deleted} - bound.keys()
        found["not in the list"] = len(left_out)
        for record in records.values():
            found += self._of_record(record)
        flagged = {a for a, flags in self.crm.flags.items() if "invalid_email" in flags}
        found["said of another address"] = len(flagged - self.people.said_invalid)
        return +found

    def _of_record(self, record):
        found, row = Counter(), self.crm.rows.get(record.crm_id)
        if record.id in self.people.removed:
            found["came back"] += record.gone is None
        elif row is None:
            found["unbound"] += record.crm_id is not None or not self._may_wait(record)
        elif row.deleted or record.gone:
            found["half deleted"] += row.deleted != bool(record.gone)
        else:
            nowhere = record.contact and waiting(record).keys() - set(self.contacts.of.columns)
            found["waiting"] += record.id in self.shelf.dirty and not nowhere
            found += self._left_behind(record, row) if row.contact else self._lost(record, row)
        return found

    def _left_behind(self, record, row):
        """A converted lead stays as sales left it; what is edited here goes to its contact."""
        contact = self.contacts.records[self.contacts.by_crm_id[row.contact]]
        edited_at = self.people.edited_at.get((record.id, "loc"), -1)
        late = edited_at > self.people.converted_at[record.crm_id]
        said = self.people.edited_here.get((record.id, "loc"))
        return Counter({"left behind": late and contact.values["loc"] != said})

    def _may_wait(self, record):
        """Whether nobody can tell who this is, so that a person has to."""
        rings = self.shelf.intents.get(record.id, ())
        begun = [self.crm.rows.get(i.value) for i in rings if i.field == "id"]
        if record.refused and any(row and row.deleted for row in begun):
            return True  # made, deleted there, and hidden by a server that lists no deletions
        address = normal_email(record.values.get("email1", ""))
        others = [r for r in self.shelf.records.values() if r.id != record.id]
        shared = any(normal_email(r.values.get("email1", "")) == address for r in others)
        holders = self.crm.holders(address)
        # A converted lead, or who was removed from the list, keeps the address there, whatever it
        # is here.
        bound = [i for i in holders if i in self.shelf.by_crm_id]
        gone = [i for i in bound if self.shelf.records[self.shelf.by_crm_id[i]].gone]
        kept = bool(gone) or any(self.crm.rows[i].contact for i in bound)
        return bool(address) and (shared or kept or len(holders) > 1)

    def _lost(self, record, row):
        """Compare both sides with each other, and with the last edits of either."""
        found, here, there = Counter(), record.values, self.crm.values_of(row)
        people = self.people
        ours = {f: v for (i, f), v in people.edited_here.items() if i == record.id}
        theirs = {f: v for (i, f), v in people.edited_there.items() if i == record.crm_id}
        found["not filled"] = len(self.shelf.of.columns) - len(record.values)
        for field in record.values:
            alike = same(kept(field, here[field]), there[field], CATALOGUE[field])
            found[f"diverged: {field}"] += not alike and field not in FLAGS
        if "loc" in ours and "loc" not in theirs:
            found["our edit"] += there["loc"] != kept("loc", ours["loc"])
        if "crm" in theirs:
            found["their edit"] += here.get("crm") != theirs["crm"]
        for field in ("both", "late"):
            said = {kept(field, side[field]) for side in (ours, theirs) if field in side}
            said |= people.met.get((record.crm_id, field), set())
            found["neither edit"] += bool(said) and there[field] not in said
        for field in FLAGS if there["email1"] else ():
            out = (record.id, field) in people.opted_out_here
            out |= (record.crm_id, field) in people.opted_out_there
            found["consent"] += out and not (is_set(here[field]) and is_set(there[field]))
        return found


def read_ahead(fetch, after):
    """`workers.pages.read_ahead` without a thread: one page is read ahead, and no more."""
    page = fetch(after)
    while page.after is not None:
        following = fetch(page.after)
        yield page
        page = following
    yield page
