"""Records commit as a whole, against what was read, under a lease."""

import msgspec
import pytest

from store.lists import Lists
from store.records import Change, Fence, FencedError, Records, RunNotes, StaleRecordsError
from sync.lists import MarketingList
from sync.records import GONE_HERE, GONE_THERE, Agreement, Intent, Record

COLUMNS = ("email1", "last_name", "phone")


@pytest.fixture
def records(redis_client):
    return Records(redis_client, "people", COLUMNS)


def person(record_id="r1", crm_id="c1", **values):
    values = values or {"email1": "Ana@Example.com", "last_name": "Silva"}
    base = {column: Agreement(value, value) for column, value in values.items()}
    return Record(id=record_id, crm_id=crm_id, values=values, base=base)


def add(records, *people, **options):
    records.commit([Change(before=None, after=p) for p in people], **options)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(Record(id="r"), id="nothing_at_all"),
        pytest.param(Record(id="r", values={"phone": ""}), id="empty_is_not_missing"),
        pytest.param(
            Record(id="r", crm_id="c", values={"phone": "1"}, base={"phone": Agreement("1", "1")}),
            id="agreed_on_the_present_value",
        ),
        pytest.param(
            Record(id="r", values={"phone": "2"}, base={"phone": Agreement("1", "一")}),
            id="agreed_on_another_value",
        ),
        pytest.param(
            Record(
                id="r",
                values=dict.fromkeys(COLUMNS, "x"),
                base=dict.fromkeys(COLUMNS, Agreement("x", "x")),
                gone="deleted in SugarCRM",
            ),
            id="agreed_on_everything_and_gone",
        ),
    ],
)
def test_a_record_reads_back_as_it_was_written(records, record):
    add(records, record)

    (read,) = records.get_many(["r", "unknown"]).values()

    assert (read.values, read.base, read.crm_id, read.gone, read.version) == (
        record.values,
        record.base,
        record.crm_id,
        record.gone,
        1,
    )


def test_one_stale_record_keeps_the_whole_batch_and_its_notes_from_being_written(
    records, redis_client
):
    add(records, person())
    stale = person()

    with pytest.raises(StaleRecordsError) as caught:
        add(records, person("r2", "c2"), stale, notes=RunNotes(run_id="7", set={"a": "b"}))

    assert caught.value.ids == ("r1",)
    assert records.get_many(["r2"]) == {}
    assert not redis_client.exists("run:7")
    assert len(records) == 1


def test_a_sugarcrm_id_is_one_records_only(records):
    add(records, person("r1", "c1"))

    with pytest.raises(StaleRecordsError) as in_two_commits:
        add(records, person("r2", "c1"))
    with pytest.raises(StaleRecordsError) as in_one_commit:
        add(records, person("r2", "c2"), person("r3", "c2"))

    assert (in_two_commits.value.ids, in_one_commit.value.ids) == (("r2",), ("r3",))
    assert {c: r.id for c, r in records.by_crm_ids(["c1", "c2"]).items()} == {"c1": "r1"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["left_first", "taken_first"])
def test_a_sugarcrm_id_that_one_record_leaves_another_may_take_at_once(records, order):
    add(records, person("r1", "c1"))
    (before,) = records.get_many(["r1"]).values()
    left = Change(before=before, after=msgspec.structs.replace(before, crm_id="c9"))
    taken = Change(before=None, after=person("r2", "c1"))

    records.commit([(left, taken)[n] for n in order])

    bound = records.by_crm_ids(["c1", "c9"])
    assert {c: r.id for c, r in bound.items()} == {"c1": "r2", "c9": "r1"}


def test_a_commit_moves_records_run_and_cursor_together(records, redis_client):
    notes = RunNotes(run_id="7", set={"place:pull": "x"}, add={"count:created_here": 2})

    add(records, person(), person("r2", "c2"), notes=notes, state={"cursor_at": "2026-01-01"})

    assert redis_client.hgetall("run:7") == {b"place:pull": b"x", b"count:created_here": b"2"}
    assert records.state("cursor_at") == "2026-01-01"
    assert len(records) == 2


def test_a_commit_under_a_lease_that_ended_writes_nothing(records, redis_client):
    redis_client.set("lease:run", "8")

    with pytest.raises(FencedError):
        add(records, person(), fence=Fence("lease:run", 7))

    assert len(records) == 0
    add(records, person(), fence=Fence("lease:run", 8))
    assert len(records) == 1


def test_indexes_follow_a_change_of_address_and_binding(records):
    add(records, person())
    (before,) = records.get_many(["r1"]).values()
    after = Record(id="r1", crm_id="c9", values={"email1": "new@example.com"})

    records.commit([Change(before=before, after=after)])

    assert records.ids_by_email("ana@example.com") == []
    assert records.ids_by_email("NEW@example.com") == ["r1"]
    assert list(records.by_crm_ids(["c1", "c9"])) == ["c9"]


def test_people_who_share_an_address_are_all_found(records):
    add(records, person("r1", "c1"), person("r2", "c2", email1="ana@example.com"))
    add(records, person("r3", "c3", email1="ana@example.com.br"))

    assert records.ids_by_email("ana@example.com") == ["r1", "r2"]


def test_changed_records_come_in_the_order_of_their_changes(records):
    add(records, person("r1", "c1"), person("r2", "c2"))
    both = records.get_many(["r2", "r1"])
    for record_id in ("r2", "r1"):
        before = both[record_id]
        records.commit([Change(before=before, after=before, dirty=True)])

    assert records.dirty(0, records.last_change(), 10) == [("r2", 1), ("r1", 2)]
    assert records.dirty(1, records.last_change(), 10) == [("r1", 2)]
    assert records.dirty_count() == 2

    (before,) = records.get_many(["r1"]).values()
    records.commit([Change(before=before, after=before, dirty=False)])
    assert records.dirty(0, records.last_change(), 10) == [("r2", 1)]


def test_a_tombstone_is_not_counted_and_a_removed_record_leaves_nothing(records):
    add(records, person("r1", "c1"), person("r2", "c2"))
    first, second = records.get_many(["r1", "r2"]).values()
    gone = Record(id="r1", crm_id="c1", values=first.values, gone="deleted in SugarCRM")

    records.commit([Change(before=first, after=gone), Change(before=second, after=None)])

    assert len(records) == 0
    assert records.by_crm_ids(["c1", "c2"]).keys() == {"c1"}
    assert records.ids_by_email("ana@example.com") == ["r1"]


def test_intents_are_kept_until_a_commit_replaces_or_removes_them(records, redis_client):
    add(records, person())
    ring = (Intent("phone", "1"), Intent("phone", "2", settled=True))
    redis_client.set("lease:run", "7")
    records.intents.note({"r1": ring}, Fence("lease:run", 7))

    (before,) = records.get_many(["r1"]).values()
    records.commit([Change(before=before, after=before)])
    assert records.intents.of(["r1", "r2"]) == {"r1": ring}

    (before,) = records.get_many(["r1"]).values()
    records.commit([Change(before=before, after=before, intents=())])
    assert records.intents.of(["r1"]) == {}


def test_a_worker_that_lost_its_lease_cannot_note_intents_over_those_of_others(
    records, redis_client
):
    add(records, person())
    redis_client.set("lease:run", "8")
    others = (Intent("phone", "2"),)
    records.intents.note({"r1": others}, Fence("lease:run", 8))

    with pytest.raises(FencedError):
        records.intents.note({"r1": (Intent("phone", "1"),)}, Fence("lease:run", 7))

    assert records.intents.of(["r1"]) == {"r1": others}


def test_of_a_record_that_was_erased_meanwhile_no_intent_is_noted(records, redis_client):
    add(records, person())
    redis_client.set("lease:run", "7")
    ring = (Intent("phone", "1"),)

    erased = records.intents.note({"r1": ring, "erased": ring}, Fence("lease:run", 7))

    assert erased == {"erased"}
    assert records.intents.of(["r1", "erased"]) == {"r1": ring}


def test_a_record_that_is_about_to_be_sent_is_not_removed_without_a_trace(records, redis_client):
    add(records, person(crm_id=None))
    redis_client.set("lease:run", "7")
    records.intents.note({"r1": (Intent("phone", "1"),)}, Fence("lease:run", 7))
    (before,) = records.get_many(["r1"]).values()

    with pytest.raises(StaleRecordsError):
        records.commit([Change(before=before, after=None)])

    records.commit([Change(before=before, after=None, intents=())])
    assert records.get_many(["r1"]) == {}


def test_an_id_about_to_be_created_names_its_record_until_that_is_bound(records, redis_client):
    redis_client.set("lease:run", "7")
    unbound = person(crm_id=None)
    add(records, unbound)
    ring = (Intent("phone", "1"),)
    records.intents.note({"r1": ring}, Fence("lease:run", 7), creating={"c1": "r1"})
    assert records.intents.creating(["c0", "c1"]) == {"c1": "r1"}

    (before,) = records.get_many(["r1"]).values()
    records.commit([Change(before=before, after=msgspec.structs.replace(before, crm_id="c1"))])

    assert records.intents.creating(["c1"]) == {}
    assert records.by_crm_ids(["c1"]).keys() == {"c1"}


def test_a_column_added_meanwhile_keeps_its_values(redis_client):
    lists = Lists(redis_client)
    lists.create(MarketingList(id="people", title="People", columns=COLUMNS))
    before_it = lists.records(lists.get("people"))
    add(before_it, person())
    wide = lists.records(lists.widen("people", ["title"]))
    (present,) = wide.get_many(["r1"]).values()
    titled = msgspec.structs.replace(present, values={**present.values, "title": "Dr"})
    wide.commit([Change(before=present, after=titled)])

    (read,) = before_it.get_many(["r1"]).values()
    edited = msgspec.structs.replace(read, values={**read.values, "phone": "1"})
    before_it.commit([Change(before=read, after=edited)])

    (now,) = wide.get_many(["r1"]).values()
    assert (now.values["title"], now.values["phone"]) == ("Dr", "1")


def test_a_scan_sees_every_record(records):
    add(records, *(person(f"r{n}", f"c{n}") for n in range(1500)))

    seen = [record.id for batch in records.scan(100) for record in batch]

    assert set(seen) == {f"r{n}" for n in range(1500)}


def test_who_is_bound_is_counted_whoever_else_is_there_or_was(records):
    add(records, person("r1", "c1"), person("r2", "c2"))
    alone = records.bound_count()
    gone = msgspec.structs.replace(person("r3", "c3"), gone=GONE_THERE)
    never_bound = msgspec.structs.replace(person("r4", None), gone=GONE_HERE)
    add(records, gone, never_bound, person("r5", None))

    assert (alone, records.bound_count(), len(records)) == (2, 2, 3)


def test_records_written_before_a_column_was_added_read_without_it(records, redis_client):
    add(records, person())

    wider = Records(redis_client, "people", (*COLUMNS, "new_c"))
    (read,) = wider.get_many(["r1"]).values()

    assert "new_c" not in read.values
    assert read.base.keys() == {"email1", "last_name"}
