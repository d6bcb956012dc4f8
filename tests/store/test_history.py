"""The history of a list: written with its commits, looked up by record, forgotten in time."""

import time

import pytest

from store.history import History
from store.records import Change, Records, StaleRecordsError
from sync.history import Moved
from sync.records import Record


@pytest.fixture
def records(redis_client):
    return Records(redis_client, "people", ("email1", "phone"))


@pytest.fixture
def history(redis_client):
    return History(redis_client, "people")


def commit(records, record_id, phone, by="person ana", before=None):
    after = Record(id=record_id, values={"phone": phone}, version=before.version if before else 0)
    old = before.values["phone"] if before else None
    moved = Moved(record_id, ("edited",), here={"phone": (old, phone)})
    records.commit([Change(before=before, after=after, moved=moved)], by=by)
    return records.get_many([record_id])[record_id]


def now_ms():
    return int(time.time() * 1000)


def test_what_a_commit_did_is_found_by_its_record_newest_first(records, history):
    first = commit(records, "r", "1")
    commit(records, "other", "9")
    commit(records, "r", "2", before=first, by="run x")

    entries = history.of_record("r")

    assert [entry.by for entry in entries] == ["run x", "person ana"]
    assert entries[0].moved == (Moved("r", ("edited",), here={"phone": ("1", "2")}),)


def test_a_commit_that_is_refused_leaves_no_trace(records, history):
    before = commit(records, "r", "1")
    commit(records, "r", "2", before=before)

    with pytest.raises(StaleRecordsError):
        commit(records, "r", "3", before=before)

    assert len(history.of_record("r")) == 2


def test_the_entries_of_a_run_are_walked_oldest_first_over_many_pages(records, history):
    began = now_ms()
    for number in range(450):
        records.commit(by=f"run {number % 2}", told=[Moved(f"r{number}", ("skipped",), reason="x")])

    of_run = [e.moved[0].record for e in history.of_run("1", began, now_ms())]

    assert of_run == [f"r{number}" for number in range(1, 450, 2)]


def test_who_came_in_with_an_import_costs_no_entry_of_the_index(records, history, redis_client):
    moved = Moved("r", ("created_here",))
    records.commit([Change(before=None, after=Record(id="r"), moved=moved)], by="run i")

    assert redis_client.zcard("list:people:history_by_record") == 0
    assert [e.moved[0].record for e in history.of_run("i", 0, now_ms())] == ["r"]


def test_what_is_older_than_wanted_is_forgotten_with_its_index(records, history, redis_client):
    for number in range(300):
        commit(records, f"r{number}", "1")
    later = now_ms() + 1
    while now_ms() <= later:
        time.sleep(0.001)
    kept = commit(records, "kept", "1")

    assert history.trim(later) == 300
    assert history.trim(later) == 0
    assert redis_client.zcard("list:people:history_by_record") == 1
    assert len(history.of_record(kept.id)) == 1
    assert history.of_record("r0") == ()


def test_two_people_of_one_commit_may_be_forgotten_at_the_same_moment(
    records, redis_client, monkeypatch
):
    told = [Moved(one, ("skipped",), reason=one) for one in ("ana", "bob", "eve")]
    records.commit(told=told, by="run r")
    first, second = History(redis_client, "people"), History(redis_client, "people")
    swap = first._swap

    def after_the_other(**call):
        monkeypatch.setattr(first, "_swap", swap)
        second.forget("bob")
        return swap(**call)

    monkeypatch.setattr(first, "_swap", after_the_other)
    assert first.forget("ana") == 1

    (entry,) = first.of_record("eve")
    assert [moved.record for moved in entry.moved] == ["eve"]
    assert first.of_record("ana") == first.of_record("bob") == ()
