"""Designs that lack one part. The simulation must find out each of them."""
# ruff: noqa: ARG001, ARG005  what replaces a function takes what that takes

from datetime import UTC, datetime, timedelta
from unittest import mock

import msgspec

from console import edits
from sync import merge as merging
from sync import records as stored
from sync import settle as settling
from sync.canonical import same
from sync.consent import CONSENT_FIELDS
from sync.cursor import INSTANT
from sync.drift import drift_of
from sync.identity import record_id
from sync.merge import Merge, Permission, merge
from sync.records import Agreement, Theirs
from sync.settle import settle
from tests.sync import simulated_people
from workers import (
    burying,
    comparing,
    create,
    following,
    pull,
    push,
    push_scope,
    recognise,
    sweep,
    take_in,
)


def by_us_only(field, present, theirs, ring, definition):
    """An echo is told by who wrote last, as most connectors do."""
    own = [intent for intent in ring if intent.field == field]
    return theirs.by_us and any(same(i.value, theirs.values[field], definition) for i in own)


def nothing_of_ours(record, theirs, *limits):
    """What our user wrote last is passed over, whoever wrote the other fields."""
    if theirs.by_us:
        agreed = {f: pair.theirs for f, pair in record.base.items() if f in theirs.values}
        theirs = msgspec.structs.replace(theirs, values={**theirs.values, **agreed})
    return merge(record, theirs, *limits)


def the_later(record, theirs, ring, permission, catalogue, rules):
    """The side that was changed last wins, with all its fields."""
    ours = max(record.edited.values(), default=0) > theirs.at
    fields = [f for f in record.values if f in theirs.values]
    other = [f for f in fields if not same(record.values[f], theirs.values[f], catalogue[f])]
    push = {f: record.values[f] for f in other if ours and f in permission.push}
    pull = {f: theirs.values[f] for f in other if not ours and f in permission.pull}
    return Merge(pull=pull, push=push, agreed={}, conflicts=())


def whole_record(record, theirs, ring, permission, *more):
    """With one changed field, all go out."""
    merged = merge(record, theirs, ring, permission, *more)
    if not merged.push:
        return merged
    every = {f: v for f, v in record.values.items() if f in permission.push}
    return msgspec.structs.replace(merged, push=every | merged.push)


def as_sent(record, merged, read_back, ring, catalogue, **_):
    """What was sent is what SugarCRM has, without looking."""
    sent = Theirs(values={**(read_back.values if read_back else {}), **merged.push}, by_us=True)
    return settle(record, merged, sent if merged.push else None, ring, catalogue)


def unobserved(scope, record, row, ring):
    return record


def unbound(record, crm_id):
    """A deleted row is one that never was."""
    return msgspec.structs.replace(record, crm_id=None, base={})


def forgets_rows(record, row):
    change = take_in.Change(before=record, after=unbound(record, row.id), dirty=True, intents=())
    return change, []


def forgets_record(record):
    return take_in.Change(before=record, after=unbound(record, ""), dirty=True, intents=())


def everything(setup, columns):
    return Permission(push=frozenset(columns), pull=frozenset(columns))


def removed_for_good(records, of, name):
    """Who is taken out of the list leaves nothing behind."""
    record = edits.find_record(records, of, name)
    records.commit([edits.Change(before=record, after=None, intents=())])


def nobody(*_args):
    return {}


class Weakness:
    """One design: `patches` replace parts of the product, `world` has others switched off."""

    def __init__(self, name, world):
        self.name, self.world = name, world

    def enter(self, stack):
        """Take the part out, for as long as `stack` is open."""
        self.world.crm.by_position = self.name == "answers told apart by their place"
        for target, attribute, value in PATCHES.get(self.name, tuple)():
            stack.enter_context(mock.patch.object(target, attribute, value))
        if self.name == "random ids":
            luck = self.world.luck
            named = lambda scope, record: (record_id(scope.module, str(luck.random())),) * 3  # noqa: E731
            stack.enter_context(mock.patch.object(recognise, "_own_ids", named))
            stack.enter_context(mock.patch.object(recognise, "CREATED_AS", "never"))

    def base(self, base):
        """The agreements as they are stored."""
        if self.name != "one base instead of a pair":
            return base
        return {field: Agreement(pair.ours, pair.ours) for field, pair in base.items()}


def drift_without_consent(record, values, pulled, catalogue):
    return drift_of(record, values, set(pulled) - CONSENT_FIELDS, catalogue)


def _both(value):
    return [(settling, "merge", value), (push, "merge", value)]


PATCHES = {
    "echoes told by who wrote last": lambda: [
        (merging, "is_echo", by_us_only),
        (merging, "may_be_unseen", lambda *_: False),
    ],
    "what our user wrote is no change": lambda: _both(nothing_of_ours),
    "base as sent": lambda: [
        (push, "settle", as_sent),
        (create, "settle", as_sent),
        (push, "observe", unobserved),
        (create, "observe", unobserved),
    ],
    "no overlap": lambda: [
        (pull, "with_overlap", lambda cursor: cursor and _just_after(cursor)),
        (pull, "next_cursor", lambda cursor, newest, took: max(cursor, newest)),
    ],
    "whole records": lambda: [(push, "merge", whole_record)],
    "the last write wins": lambda: _both(the_later),
    "no tombstones": lambda: [
        (take_in, "_bury", forgets_rows),
        (burying, "tombstone", forgets_record),
    ],
    "no tombstones here": lambda: [(simulated_people, "remove_record", removed_for_good)],
    "consent as any field": lambda: [(merging, "CONSENT_FIELDS", frozenset())],
    "an invalid address for ever": lambda: [
        (merging, "is_same_address", lambda *_: True),
        (stored, "of_new_address", lambda _, changed: changed),
    ],
    "no permission asked": lambda: [(push_scope, "permission", everything)],
    "no sweep": lambda: [(sweep, "_is_due", lambda here: False)],
    "no meeting": lambda: [(take_in, "unbound_of", nobody)],
    "no following": lambda: [
        (following, "_hand_to", lambda here, of, record: frozenset(of.columns))
    ],
    "no comparison of the whole": lambda: [(comparing, "drift_of", lambda *_: ())],
    "consent not compared": lambda: [(comparing, "drift_of", drift_without_consent)],
    "no look at addresses": lambda: [(pull, "sweep_consent", lambda *_: True)],
    "columns not filled": lambda: [(pull, "_fill_pages", lambda *_: True)],
}
WEAKNESSES = (
    "no own-write ring",
    *PATCHES,
    "one base instead of a pair",
    "random ids",
    "no fence",
    "no comparison",
    "bound by address",
    "answers told apart by their place",
)


def weakened(name, world):
    """The design that lacks `name`; "" lacks nothing."""
    return Weakness(name, world)


def _just_after(cursor):
    moment = datetime.strptime(cursor, INSTANT).replace(tzinfo=UTC)
    return (moment + timedelta(seconds=1)).strftime(INSTANT)
