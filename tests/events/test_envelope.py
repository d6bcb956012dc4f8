import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import (
    MAX_BATCH_EVENTS,
    MAX_EVENT_BYTES,
    TYPES,
    BadEventError,
    EmailBounced,
    EmailOpened,
    EmailSent,
    EmailUnsubscribed,
    FormSubmitted,
    ListImportRequested,
    PageVisited,
    PlanApproved,
    PlanRequested,
    ProgramTick,
    RecordChanged,
    SyncTick,
    UndoRequested,
    decode,
    decode_batch,
    encode,
    wrap,
)
from events.facts import EmailClicked, LandingPageVisited

EVENTS = [
    FormSubmitted(form="demo", fields={"email": "ana@example.com", "last_name": "Silva"}),
    EmailSent(message="welcome", email="ana@example.com", subject="Hello", list="leads"),
    EmailOpened(message="welcome", email="ana@example.com"),
    EmailBounced(message="welcome", email="ana@example.com", permanent=False),
    EmailUnsubscribed(email="ana@example.com", message="welcome"),
    EmailClicked(message="welcome", email="ana@example.com", url="https://example.com/a"),
    LandingPageVisited(page="spring", email="ana@example.com"),
    PageVisited(url="https://example.com/", email="ana@example.com"),
    SyncTick(list="leads", schedule="daily", slot=1_800_000_000, missed=2),
    ProgramTick(program="score"),
    RecordChanged(module="Leads", record_id="1-a", deleted=True),
    ListImportRequested(module="Leads", columns=("email1", "last_name")),
    PlanRequested(list="leads"),
    PlanApproved(plan="plan-1-0"),
    UndoRequested(run="sync-1-0"),
]
OPENED = {
    "specversion": "1.0",
    "id": "1",
    "source": "mailer",
    "type": "EmailOpened",
    "time": "2026-11-23T10:00:00Z",
    "data": {"message": "welcome", "email": "ana@example.com"},
}


def body(**changes):
    attributes = {k: v for k, v in (OPENED | changes).items() if v is not ...}
    return msgspec.json.encode(attributes)


def opened(**data):
    return body(data=OPENED["data"] | data)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_comes_back_as_it_was_sent(event):
    envelope = wrap(event, source="here", id="7", subject="ana")

    assert decode(encode(envelope)) == envelope
    assert envelope.event(type(event)) == event
    assert envelope.type == type(event).__name__


def test_examples_above_name_every_type_there_is():
    assert {type(event).__name__ for event in EVENTS} == set(TYPES)


def test_attributes_that_we_do_not_know_are_tolerated():
    envelope = decode(body(traceparent="00-0af7", partitionkey={"deep": [1]}))

    assert envelope.event(EmailOpened).message == "welcome"


def test_time_is_in_utc_whatever_zone_it_came_in():
    envelope = decode(body(time="2026-11-23T10:00:00+05:30"))

    assert envelope.time == datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    assert envelope.time.utcoffset() == timedelta(0)


def test_event_without_a_time_happened_now():
    before = datetime.now(UTC)

    assert before <= decode(body(time=...)).time <= datetime.now(UTC)


def test_envelope_refuses_to_be_taken_for_another_kind_of_event():
    with pytest.raises(BadEventError) as caught:
        decode(body()).event(FormSubmitted)

    assert caught.value.field == "type"


@pytest.mark.parametrize(
    ("sent", "field", "problem"),
    [
        pytest.param(body(specversion="0.3"), "specversion", '"1.0"', id="another_version"),
        pytest.param(body(specversion=...), "specversion", "required", id="no_version"),
        pytest.param(body(id=""), "id", ">= 1", id="empty_id"),
        pytest.param(body(id=7), "id", "must be str, got int", id="number_as_id"),
        pytest.param(body(id="x" * 257), "id", "<= 256", id="long_id"),
        pytest.param(body(source=...), "source", "required", id="no_source"),
        pytest.param(body(type="EmailEaten"), "type", "EmailOpened", id="unknown_type"),
        pytest.param(body(time="yesterday"), "time", "RFC3339", id="no_time"),
        pytest.param(body(time="2026-11-23T10:00:00"), "time", "timezone", id="time_without_zone"),
        pytest.param(body(time="0001-01-01T00:00:00+14:00"), "time", "years", id="before_year_1"),
        pytest.param(
            body(datacontenttype="text/xml"), "datacontenttype", "application/json", id="xml"
        ),
        pytest.param(body(data=...), "data", "required", id="no_data"),
        pytest.param(body(data=[1]), "data", "object", id="data_is_a_list"),
        pytest.param(opened(email=7), "data.email", "must be str", id="email_is_no_text"),
        pytest.param(opened(email="ana"), "data.email", "ana@example.com", id="no_address"),
        pytest.param(opened(email="a@b\n"), "data.email", "one address", id="line_break_after"),
        pytest.param(opened(email="a@b, c@d"), "data.email", "one address", id="two_addresses"),
        pytest.param(opened(email="a" * 250 + "@b.cd"), "data.email", "<= 254", id="long_address"),
        pytest.param(opened(message="a\0b"), "data.message", "NUL", id="nul_in_data"),
        pytest.param(body(subject="a\0b"), "subject", "NUL", id="nul_in_an_attribute"),
        pytest.param(body(id="\\u0000\0"), "id", "NUL", id="nul_beside_an_escaped_backslash"),
        pytest.param(b"", "", "JSON", id="nothing"),
        pytest.param(b"{", "", "JSON", id="half_an_object"),
        pytest.param(b"[]", "", "object", id="a_list"),
        pytest.param(b"\xff\xfe", "", "JSON", id="not_utf8"),
        pytest.param(b'{"id": "\xff"}', "", "UTF-8", id="not_utf8_inside"),
        pytest.param(b"[" * 100_000, "", "", id="deep_before_the_envelope"),
        pytest.param(
            b'{"x": ' + b"[" * 60_000 + b"]" * 60_000 + b"}", "", "deep", id="deep_in_unknown"
        ),
        pytest.param(b'"' + b"x" * MAX_EVENT_BYTES + b'"', "", "256 KB", id="too_big"),
    ],
)
def test_refusal_names_the_field_and_its_allowed_form(sent, field, problem):
    with pytest.raises(BadEventError) as caught:
        decode(sent)

    assert caught.value.field == field
    assert problem in caught.value.problem


def test_escaped_backslash_before_u0000_is_no_nul():
    envelope = decode(opened(message="\\u0000"))

    assert envelope.event(EmailOpened).message == "\\u0000"


def test_refusal_never_repeats_what_a_person_sent():
    secret = "Sylvia-Plath"
    for data in ({"email": secret}, {"email": [secret]}, {"message": {secret: secret}}):
        with pytest.raises(BadEventError) as caught:
            decode(opened(**data))
        assert secret not in str(caught.value)
    imported = body(type="ListImportRequested", data={"module": secret})
    with pytest.raises(BadEventError) as caught:
        decode(imported)
    assert str(caught.value) == 'data.module: must be "Leads" or "Contacts"'


def test_form_field_at_fault_is_named_by_its_table_not_its_content():
    for fields in ({"email": 1}, {"x" * 201: "y"}, {"y": "x" * 20_001}):
        with pytest.raises(BadEventError) as caught:
            decode(body(type="FormSubmitted", data={"form": "f", "fields": fields}))
        assert caught.value.field.startswith("data.fields")


CANARY = "ana.canary@example.com"
BAD = st.sampled_from(["a\0b", "\ud800", 5, None, [CANARY], {CANARY: CANARY}, {CANARY: "a\0"}])


@given(st.dictionaries(st.sampled_from([CANARY, CANARY + "\0", "x"]), BAD, min_size=1))
def test_a_name_that_a_sender_chose_is_in_no_refusal(fields):
    event = OPENED | {"type": "FormSubmitted", "data": {"form": "f", "fields": fields}}
    sent = json.dumps(event)

    with pytest.raises(BadEventError) as caught:
        decode(sent.encode())

    assert CANARY not in caught.value.field + str(caught.value)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({CANARY: "a\0b"}, "data.fields[...]", id="in_a_value"),
        pytest.param({CANARY + "\0": "a"}, "data.fields", id="in_a_name"),
    ],
)
def test_a_nul_in_a_form_is_placed_without_the_name_of_its_field(fields, field):
    with pytest.raises(BadEventError) as caught:
        decode(body(type="FormSubmitted", data={"form": "f", "fields": fields}))

    assert (caught.value.field, caught.value.problem) == (field, "must not contain NUL")


def test_publishing_from_python_is_held_to_the_same_rules():
    for event in (
        EmailOpened(message="", email="ana@example.com"),
        EmailOpened(message="m", email="ana"),
        EmailOpened(message=None, email="a@b.c"),
        FormSubmitted(form="f", fields={"name": "a\0b"}),
        FormSubmitted(form="f", fields={"name": "\ud800"}),
        FormSubmitted(form="f", fields={"name": object()}),
    ):
        with pytest.raises(BadEventError):
            wrap(event, source="python")
    with pytest.raises(BadEventError):
        wrap(EVENTS[0], source="")
    with pytest.raises(BadEventError):
        wrap(EVENTS[0], source="s", time=datetime(2026, 1, 1))  # noqa: DTZ001  that is the point
    near = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5)))
    with pytest.raises(BadEventError):
        wrap(EVENTS[0], source="s", time=near)


def test_batch_is_taken_whole_or_refused_with_the_place_of_the_fault():
    sound, bad = body(), opened(email="ana")

    assert [e.id for e in decode_batch(b"[" + sound + b"," + sound + b"]")] == ["1", "1"]
    assert decode_batch(b"[]") == []
    with pytest.raises(BadEventError) as caught:
        decode_batch(b"[" + sound + b"," + bad + b"]")
    assert caught.value.field == "[1].data.email"
    with pytest.raises(BadEventError, match="1000 events"):
        decode_batch(b"[" + b",".join([b"1"] * (MAX_BATCH_EVENTS + 1)) + b"]")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
near_misses = st.fixed_dictionaries(
    {},
    optional={name: st.just(value) | json_values for name, value in OPENED.items()},
)


@given(st.binary() | (json_values | near_misses).map(msgspec.json.encode))
def test_whatever_comes_is_an_event_or_a_refusal(sent):
    for read in (decode, decode_batch):
        try:
            read(sent)
        except BadEventError as refusal:
            assert refusal.problem  # noqa: PT017  either end is right, this one has a reason


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_what_is_accepted_comes_back_equal(source, name, fields):
    try:
        envelope = wrap(FormSubmitted(form=name, fields=fields), source=source, id="1")
    except BadEventError:
        return
    assert decode(encode(envelope)) == envelope
    assert envelope.event(FormSubmitted) == FormSubmitted(form=name, fields=fields)
