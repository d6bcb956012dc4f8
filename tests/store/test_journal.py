import msgspec
import pytest

from events import BadEventError, EmailSent, FormSubmitted, PageVisited, Producer, wrap
from store.awaited import awaited_events
from store.journal import Erased, Journal, JournalEntryMissingError, Named
from store.queues import bodies

FORM = FormSubmitted(form="demo", fields={"email": "ana@example.com"})
SENT = EmailSent(message="welcome", email="ana@example.com")
FRIEND = {"friend": "ana@example.com", "email": "a@b.c"}
VISIT = PageVisited(url="/prices", email="ana@example.com")


@pytest.fixture
def producer(redis_client):
    return Producer(redis_client)


@pytest.fixture
def journal(redis_client):
    return Journal(redis_client)


@pytest.mark.parametrize("event", [FORM, SENT, VISIT])
def test_receipt_leads_back_to_the_event(journal, producer, event):
    receipt = producer.publish(event, source="site", id="7", subject="ana")

    entry = journal.read(receipt.id)

    assert entry.type == type(event).__name__
    assert entry.envelope.event(type(event)) == event
    assert (entry.envelope.source, entry.envelope.id) == ("site", "7")


def test_missing_entry_says_which(journal):
    with pytest.raises(JournalEntryMissingError, match="12-3"):
        journal.read("12-3")


def test_event_of_a_newer_version_is_listed_and_only_refused_when_looked_at(journal, redis_client):
    redis_client.xadd("journal", {"type": "MoonRisen", "event": b'{"type":"MoonRisen"}'}, "5-1")

    [entry] = journal.tail(10)

    assert entry.type == "MoonRisen"
    with pytest.raises(BadEventError):
        _ = entry.envelope


def test_tail_shows_the_newest_of_both_streams_in_order_each_once(journal, producer):
    ids = [producer.publish(event).id for event in (SENT, VISIT, FORM, VISIT)]

    assert [entry.id for entry in journal.tail(10)] == ids
    assert [entry.id for entry in journal.tail(2)] == ids[-2:]


def test_tail_goes_on_from_where_it_was(journal, producer):
    ids = [producer.publish(event).id for event in (SENT, VISIT, FORM, VISIT, SENT)]

    assert [entry.id for entry in journal.tail(2, since_id=ids[0])] == ids[1:3]
    assert journal.tail(5, since_id=ids[-1]) == []


def test_tail_finds_rare_types_far_back(journal, producer):
    rare = producer.publish(SENT).id
    producer.publish_many([wrap(VISIT, source="s") for _ in range(1000)])
    producer.publish_many([wrap(FORM, source="s") for _ in range(600)])

    assert [entry.id for entry in journal.tail(5, types={"EmailSent"})] == [rare]
    assert len(journal.tail(700, types={"FormSubmitted"})) == 600


def test_behaviour_is_read_from_a_place_on(journal, producer):
    ids = [producer.publish(event).id for event in (VISIT, SENT, FORM, VISIT)]

    assert [entry.id for entry in journal.behaviour_after("", 2)] == [ids[0], ids[2]]
    assert [entry.id for entry in journal.behaviour_after(ids[2], 2)] == [ids[3]]
    assert journal.behaviour_after(ids[3], 2) == []


def test_behaviour_is_read_up_to_what_was_the_newest(journal, producer):
    assert journal.newest_behaviour() == ""
    ids = [producer.publish(event).id for event in (VISIT, FORM, SENT)]

    newest = journal.newest_behaviour()
    producer.publish(VISIT)

    assert newest == ids[1]
    assert [entry.id for entry in journal.behaviour_after("", 9, newest)] == ids[:2]


def test_drain_that_begins_lets_the_next_one_queue(journal, producer, redis_client):
    producer.publish(VISIT)

    journal.drain_begins()

    assert not redis_client.exists("behaviour:draining")


def test_trim_drops_the_old_but_no_behaviour_that_waits(journal, producer, redis_client):
    for at in ("1000-0", "1000-1", "2000-0"):
        redis_client.xadd("behaviour", {"type": "PageVisited", "event": b"{}"}, at)
        redis_client.xadd("journal", {"type": "EmailSent", "event": b"{}"}, at)
    new = producer.publish(FORM).id

    assert journal.trim(3_600_000, "1000-1") == 4
    assert [i.decode() for i, _ in redis_client.xrange("behaviour")] == ["1000-1", "2000-0", new]
    assert [i.decode() for i, _ in redis_client.xrange("journal")] == [new]


def test_trim_leaves_the_events_that_messages_wait_for(journal, redis_client):
    ids = [f"{n}-0" for n in range(1000, 1006)]
    for at in ids:
        redis_client.xadd("journal", {"type": "EmailSent", "event": b"{}"}, at)
    queued = {"args": [ids[1]]}, {"args": [ids[4], 7]}, {"args": ["run-1"]}
    for key, message in zip(
        (bodies("sync.DQ"), bodies("realtime.XQ"), bodies("sync")), queued, strict=True
    ):
        redis_client.hset(key, "m", msgspec.json.encode(message))
    redis_client.hset(bodies("score"), "m", b"no message")

    dropped = journal.trim(0, "", awaited_events(redis_client))

    assert dropped == 4
    assert [i.decode() for i, _ in redis_client.xrange("journal")] == [ids[1], ids[4]]


def test_trim_leaves_all_behaviour_while_none_is_added_up(journal, redis_client):
    redis_client.xadd("behaviour", {"type": "PageVisited", "event": b"{}"}, "1000-0")

    assert journal.trim(0, "") == 0


def test_what_names_a_person_is_found_and_forgotten_wherever_it_stands(journal, producer):
    said = "Please write to\nANA@example.com, not to bob@example.com."
    mine = [
        producer.publish(SENT).id,
        producer.publish(VISIT).id,
        producer.publish(FORM, source="ana@example.com").id,
        producer.publish(FormSubmitted(form="f", fields={"note": said})).id,
        producer.publish(FormSubmitted(form="f", fields={"to": "<ana@example.com>."})).id,
    ]
    others = [
        producer.publish(PageVisited(url="/", email=email)).id
        for email in ("susana@example.com", "x.ana@example.com", "ana@example.com.br", "a@b.c")
    ]
    others += [
        producer.publish(PageVisited(url="/?who=ana%40Example.com&x=1", email="a@b.c")).id,
        producer.publish(PageVisited(url="/?to=mail%3Aana%40example.com%26x", email="a@b.c")).id,
        producer.publish(FormSubmitted(form="f", fields={"e": "a@b.c", "note": said})).id,
        producer.publish(FormSubmitted(form="f", fields=FRIEND)).id,
    ]

    found = journal.naming(" Ana@Example.com")
    assert ([entry.id for entry in found.own], found.others) == (mine, 4)
    assert journal.forget("ana@example.com") == Erased(8, 4)  # three forms are in both streams

    assert journal.naming("ana@example.com") == Named((), 4)
    assert [entry.id for entry in journal.tail(100)] == others


def test_person_is_found_past_the_first_page(journal, producer):
    producer.publish_many(
        [wrap(PageVisited(url="/", email="bob@example.com"), source="s") for _ in range(1000)]
    )
    rare = producer.publish(VISIT).id

    assert [entry.id for entry in journal.naming("ana@example.com").own] == [rare]
