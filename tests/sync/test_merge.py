"""Which side wins which field."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalogue import FieldDef
from sync.conflict import Conflict
from sync.consent import CONSENT_FIELDS
from sync.echo import HEALS
from sync.merge import Permission, merge
from sync.records import ECHO_S, Agreement, Intent, Record, Theirs, differs, recent
from sync.rules import BLANK_NAMES, RULE_NAMES, Rules
from sync.settle import settle

BOTH_WAYS = Permission(push=frozenset({"phone"}), pull=frozenset({"phone"}))
PUSH_ONLY = Permission(push=frozenset({"phone"}), pull=frozenset())
PULL_ONLY = Permission(push=frozenset(), pull=frozenset({"phone"}))
NOTHING = Permission(push=frozenset(), pull=frozenset())


def decide(base, ours, theirs, permission=BOTH_WAYS, intents=(), by_us=False, catalogue=None):
    agreement = {"phone": Agreement(*base)} if base else {}
    record = Record(id="r", values={"phone": ours}, base=agreement)
    crm = Theirs(values={"phone": theirs}, by_us=by_us)
    return merge(record, crm, intents, permission, catalogue or {})


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "pull", "push", "conflicts"),
    [
        pytest.param(("a", "a"), "a", "a", {}, {}, 0, id="nobody_changed_it"),
        pytest.param(("a", "a"), "b", "a", {}, {"phone": "b"}, 0, id="we_changed_it"),
        pytest.param(("a", "a"), "a", "b", {"phone": "b"}, {}, 0, id="they_changed_it"),
        pytest.param(("a", "a"), "a", "", {"phone": ""}, {}, 0, id="they_emptied_it"),
        pytest.param(("a", "a"), "", "a", {}, {"phone": ""}, 0, id="we_emptied_it"),
        pytest.param(("a", "a"), "b", "b", {}, {}, 0, id="both_made_the_same_change"),
        pytest.param(("a", "a"), "b", "c", {"phone": "c"}, {}, 1, id="they_win_a_conflict"),
        pytest.param(("long", "lo"), "long", "lo", {}, {}, 0, id="their_form_is_no_change"),
        pytest.param(("long", "lo"), "longer", "lo", {}, {"phone": "longer"}, 0, id="pair"),
        pytest.param(None, "a", "", {}, {"phone": "a"}, 0, id="first_meeting_value_beats_blank"),
        pytest.param(None, "", "b", {"phone": "b"}, {}, 0, id="first_meeting_blank_loses"),
        pytest.param(None, "a", "b", {"phone": "b"}, {}, 1, id="first_meeting_they_win"),
    ],
)
def test_each_field_goes_to_the_side_that_did_not_change_it(
    base, ours, theirs, pull, push, conflicts
):
    merged = decide(base, ours, theirs)

    assert (merged.pull, merged.push, len(merged.conflicts)) == (pull, push, conflicts)


BOTH = frozenset({"email1", "invalid_email"})
MOVED_HERE, MOVED_THERE = ("new@x", "old@x"), ("old@x", "new@x")


@pytest.mark.parametrize(
    ("addresses", "flags", "push", "pull"),
    [
        pytest.param(MOVED_HERE, ("0", "1"), {"email1": "new@x"}, {}, id="theirs_is_of_the_old"),
        pytest.param(
            MOVED_HERE, ("1", "0"), {"email1": "new@x", "invalid_email": "1"}, {}, id="ours"
        ),
        pytest.param(
            MOVED_THERE, ("1", "0"), {}, {"email1": "new@x", "invalid_email": "0"}, id="cleared"
        ),
        pytest.param(
            MOVED_THERE, ("0", "1"), {}, {"email1": "new@x", "invalid_email": "1"}, id="comes_along"
        ),
        pytest.param(MOVED_THERE, ("1", "1"), {}, {"email1": "new@x"}, id="invalid_as_well"),
        pytest.param(("Old@X", "old@x"), ("1", "0"), {"invalid_email": "1"}, {}, id="one_address"),
    ],
)
def test_that_an_address_is_invalid_is_said_of_this_address(addresses, flags, push, pull):
    record = Record(
        id="r",
        values=dict(zip(("email1", "invalid_email"), (addresses[0], flags[0]), strict=True)),
        base={"email1": Agreement("old@x", "old@x"), "invalid_email": Agreement("1", "1")},
    )
    values = dict(zip(("email1", "invalid_email"), (addresses[1], flags[1]), strict=True))
    catalogue = {"email1": FieldDef(name="email1", label="", type="varchar")}

    merged = merge(
        record, Theirs(values=values, by_us=False), (), Permission(push=BOTH, pull=BOTH), catalogue
    )

    assert (merged.push, merged.pull) == (push, pull)


def test_a_flag_lapses_with_its_address_also_where_none_may_come_in():
    flags = {"email1": "old@x", "invalid_email": "1"}
    base = {"email1": Agreement("old@x", "old@x"), "invalid_email": Agreement("1", "1")}
    record = Record(id="r", values=flags, base=base)
    theirs = Theirs(values={"email1": "new@x", "invalid_email": "0"}, by_us=False)
    permission = Permission(push=BOTH, pull=frozenset({"email1"}))

    for _ in range(2):
        merged = merge(record, theirs, (), permission, {})
        record = settle(record, merged, None, (), {}).record
        assert merged.push == {}

    assert record.values == {"email1": "new@x", "invalid_email": "0"}


@pytest.mark.parametrize("other", [Permission(push=frozenset(), pull=frozenset()), PUSH_ONLY])
def test_of_two_addresses_that_may_not_meet_no_flag_moves(other):
    flags = {"email1": "new@x", "invalid_email": "0"}
    record = Record(id="r", values=flags, base={"email1": Agreement("old@x", "old@x")})
    theirs = Theirs(values={"email1": "old@x", "invalid_email": "1"}, by_us=False)

    merged = merge(record, theirs, (), other, {})

    assert (merged.push, merged.pull) == ({}, {})
    assert merged.agreed["invalid_email"] == Agreement("0", "1")


@pytest.mark.parametrize(
    ("permission", "pull", "push", "kept"),
    [
        pytest.param(BOTH_WAYS, {"phone": "c"}, {}, "theirs", id="both_ways"),
        pytest.param(PULL_ONLY, {"phone": "c"}, {}, "theirs", id="pull_only"),
        pytest.param(PUSH_ONLY, {}, {"phone": "b"}, "ours", id="push_only"),
        pytest.param(NOTHING, {}, {}, None, id="neither"),
    ],
)
def test_a_conflict_keeps_to_the_permitted_direction(permission, pull, push, kept):
    merged = decide(("a", "a"), "b", "c", permission)

    assert (merged.pull, merged.push) == (pull, push)
    assert merged.conflicts == ((Conflict("phone", "b", "c", kept),) if kept else ())


def test_our_own_write_whose_answer_was_lost_is_no_edit_of_theirs():
    merged = decide(("a", "a"), "b", "b", intents=(Intent("phone", "b"),), by_us=True)

    assert (merged.pull, merged.push) == ({}, {})
    assert merged.agreed == {"phone": Agreement("b", "b")}


def test_an_older_write_of_ours_that_landed_late_is_healed_and_not_pulled():
    intents = (Intent("phone", "old"), Intent("phone", "new"))

    merged = decide(("new", "new"), "new", "old", intents=intents, by_us=True)

    assert (merged.pull, merged.push) == ({}, {"phone": "new"})


def test_a_settled_write_typed_again_by_a_person_is_their_edit():
    merged = decide(
        ("b", "b"), "b", "old", intents=(Intent("phone", "old", settled=True),), by_us=False
    )

    assert merged.pull == {"phone": "old"}


def test_a_late_write_that_sugarcrm_cut_to_length_is_still_ours():
    catalogue = {"phone": FieldDef(name="phone", label="Phone", type="varchar", length=3)}
    intents = (Intent("phone", "oldest", settled=True), Intent("phone", "new", settled=True))

    merged = decide(("new", "new"), "new", "old", intents=intents, by_us=True, catalogue=catalogue)

    assert merged.push == {"phone": "new"}


def test_a_late_write_that_may_not_be_healed_any_more_stands():
    intents = (Intent("phone", "old"), Intent("phone", "new"))

    stands = decide(("new", "new"), "new", "old", PULL_ONLY, intents=intents, by_us=True)
    edited = decide(("new", "new"), "edited", "old", PULL_ONLY, intents=intents, by_us=True)

    assert (stands.pull, edited.pull) == ({"phone": "old"}, {})


@pytest.mark.parametrize(
    ("theirs", "later"),
    [
        pytest.param("old", {"phone": "new"}, id="ours_goes_out_once_permitted"),
        pytest.param("typed", {}, id="an_edit_of_theirs_wins"),
    ],
)
def test_a_write_of_ours_seen_while_nothing_may_move_is_no_edit_of_theirs_later(theirs, later):
    record = Record(id="r", values={"phone": "new"})
    seen = Theirs(values={"phone": "old"}, by_us=True)
    merged = merge(record, seen, (Intent("phone", "old"),), NOTHING, {})
    kept = settle(record, merged, None, (), {}).record

    by_somebody = Theirs(values={"phone": theirs}, by_us=False)
    permitted = merge(kept, by_somebody, (), BOTH_WAYS, {})

    assert (merged.pull, merged.push) == ({}, {})
    assert permitted.push == later


OUT = "email_opt_out"
ALL = frozenset({OUT, "email1"})


def consent(ours, theirs, push=ALL, base=("", "")):
    """Merge a person who is opted out on one side; the sides are (address, flag)."""
    record = Record(
        id="r",
        values={"email1": ours[0], OUT: ours[1]},
        base={"email1": Agreement(theirs[0], theirs[0]), OUT: Agreement(*base)},
    )
    crm = Theirs(values={"email1": theirs[0], OUT: theirs[1]}, by_us=False)
    merged = merge(record, crm, (), Permission(push=push, pull=ALL), {})
    return merged, settle(record, msgspec.structs.replace(merged, push={}), None, (), {}).record


@pytest.mark.parametrize(
    ("ours", "theirs", "push", "pull"),
    [
        pytest.param(("", "1"), ("", ""), {}, {}, id="nobodys_address_bears_no_flag"),
        pytest.param(("a@x", "1"), ("a@x", "0"), {OUT: "1"}, {}, id="their_address_bears_it"),
        pytest.param(
            ("a@x", "1"), ("", ""), {"email1": "a@x", OUT: "1"}, {}, id="an_address_on_its_way"
        ),
        pytest.param(
            ("b@x", "0"),
            ("a@x", "1"),
            {"email1": "b@x", OUT: "1"},
            {OUT: "1"},
            id="a_new_address_takes_over_what_they_set",
        ),
        pytest.param(
            ("b@x", "1"),
            ("a@x", "1"),
            {"email1": "b@x", OUT: "1"},
            {},
            id="a_new_address_takes_over_what_both_know",
        ),
    ],
)
def test_an_opt_out_goes_to_sugarcrm_with_an_address(ours, theirs, push, pull):
    merged, _ = consent(ours, theirs)

    assert (merged.push, merged.pull) == (push, pull)


def test_an_opt_out_that_no_address_can_bear_leaves_nothing_to_do():
    _, kept = consent(("", "1"), ("", ""))

    assert not differs(kept)


def test_an_opt_out_that_was_cleared_there_waits_to_be_permitted():
    merged, kept = consent(("a@x", "1"), ("a@x", "0"), push=frozenset(), base=("1", "1"))

    assert (merged.push, differs(kept)) == ({}, True)


def test_a_value_that_the_server_sets_again_each_time_is_taken_after_a_few_tries():
    intents = tuple(Intent("phone", v, settled=True) for v in ("theirs", *["ours"] * HEALS))

    tried = decide(("ours", "ours"), "ours", "theirs", intents=intents[:-1], by_us=True)
    taken = decide(("ours", "ours"), "ours", "theirs", intents=intents, by_us=True)

    assert (tried.push, taken.push) == ({"phone": "ours"}, {})
    assert taken.pull == {"phone": "theirs"}


@pytest.mark.parametrize(
    ("intent", "by_us", "push"),
    [
        pytest.param(Intent("phone", "<b>b"), True, {"phone": "c"}, id="perhaps_rewritten"),
        pytest.param(Intent("phone", "<b>b"), False, {}, id="others_wrote_since"),
        pytest.param(Intent("phone", "<b>b", seen=True), True, {}, id="it_had_not_landed"),
    ],
)
def test_what_became_of_a_write_whose_answer_was_lost_does_not_undo_a_later_edit(
    intent, by_us, push
):
    merged = decide(("a", "a"), "c", "b", intents=(intent,), by_us=by_us)

    assert merged.push == push
    assert merged.pull == ({} if push else {"phone": "b"})


def test_what_came_back_long_after_our_write_is_an_edit():
    long_ago = (Intent("phone", "old", settled=True, at=1000), Intent("phone", "b", at=1000))

    assert recent(long_ago, 1000 + ECHO_S) == long_ago
    assert recent(long_ago, 1001 + ECHO_S) == long_ago[1:]  # an open one may still land


def test_a_value_that_sugarcrm_cut_to_length_is_not_an_edit():
    catalogue = {"phone": FieldDef(name="phone", label="Phone", type="varchar", length=3)}

    merged = decide(("x", "x"), "abcdef", "abc", catalogue=catalogue)

    assert (merged.pull, merged.push) == ({}, {})


@pytest.mark.parametrize(
    ("ours", "theirs", "base", "pull", "push"),
    [
        pytest.param("1", "0", ("1", "1"), {}, {"email_opt_out": "1"}, id="cleared_by_them"),
        pytest.param("0", "1", ("0", "0"), {"email_opt_out": "1"}, {}, id="set_by_them"),
        pytest.param("0", "1", ("1", "1"), {"email_opt_out": "1"}, {}, id="cleared_by_us"),
        pytest.param("", "1", None, {"email_opt_out": "1"}, {}, id="unknown_here"),
        pytest.param("1", "", None, {}, {"email_opt_out": "1"}, id="unknown_there"),
        pytest.param("yes", "0", None, {}, {"email_opt_out": "1"}, id="in_a_word_here"),
    ],
)
def test_the_more_restrictive_consent_wins_whoever_changed_it(ours, theirs, base, pull, push):
    field = frozenset({"email_opt_out"})
    record = Record(
        id="r",
        values={"email_opt_out": ours},
        base={"email_opt_out": Agreement(*base)} if base else {},
    )

    merged = merge(
        record,
        Theirs(values={"email_opt_out": theirs}, by_us=False),
        (),
        Permission(push=field, pull=field),
        {"email_opt_out": FieldDef(name="email_opt_out", label="Opt out", type="bool")},
    )

    assert (merged.pull, merged.push) == (pull, push)


values = st.text("ab", max_size=2)
fields = st.sampled_from(["f", "email1", "email_opt_out"])
maps = st.dictionaries(fields, values, max_size=3)
bases = st.dictionaries(fields, st.builds(Agreement, values, values), max_size=3)
rings = st.lists(st.builds(Intent, fields, values, st.booleans()), max_size=4).map(tuple)
permissions = st.builds(Permission, push=st.frozensets(fields), pull=st.frozensets(fields))


rules = st.builds(
    Rules,
    default=st.sampled_from(list(RULE_NAMES)),
    fields=st.dictionaries(fields, st.sampled_from(list(RULE_NAMES)), max_size=3),
    blanks=st.sampled_from(list(BLANK_NAMES)),
)


@given(maps, bases, maps, rings, permissions, st.booleans(), rules, maps)
def test_no_value_ever_goes_a_way_that_is_not_permitted(
    ours, base, crm, ring, permission, by_us, rules, asked
):
    asked = {field: value for field, value in asked.items() if field in ours}
    record = Record(id="r", values=ours, base=base, asked=asked)

    merged = merge(record, Theirs(values=crm, by_us=by_us), ring, permission, {}, rules)

    moving = merged.push.keys() | merged.pull.keys()
    assert moving | merged.asked.keys() == merged.because.keys()
    assert not moving & merged.asked.keys()
    assert not merged.asked.keys() & CONSENT_FIELDS

    assert merged.push.keys() <= permission.push
    assert merged.pull.keys() <= permission.pull
    assert not merged.push.keys() & merged.pull.keys() - CONSENT_FIELDS
    assert merged.push.keys() | merged.pull.keys() <= ours.keys() & crm.keys()


@given(maps, st.booleans())
def test_agreed_records_need_nothing(values, by_us):
    base = {field: Agreement(value, value) for field, value in values.items()}
    everything = Permission(push=frozenset(values), pull=frozenset(values))

    merged = merge(
        Record(id="r", values=values, base=base),
        Theirs(values=values, by_us=by_us),
        (),
        everything,
        {},
    )

    assert (merged.pull, merged.push, merged.agreed, merged.conflicts) == ({}, {}, {}, ())
