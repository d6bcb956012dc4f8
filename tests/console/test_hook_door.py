"""SugarCRM's web logic hooks over HTTP: only with the secret address, and believed in nothing."""

import falcon.testing
import msgspec
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.client import Pipeline

from console.hooks import MAX_BYTES, PATH, SOURCE, _sha256
from console.intake import create_app
from events import NotKeptError, Producer, RecordChanged, wrap
from events.on_disk import OnDisk
from store.hints import Hints, HookAddress
from store.journal import Journal

TOKEN = "t0ken-canary-of-the-hook"
LEAD = {"isUpdate": True, "dataChanges": [], "bean": "Lead", "data": {"id": "lead-1"}}


@pytest.fixture
def door(redis_client):
    HookAddress(redis_client).put("http://127.0.0.1", _sha256(TOKEN), "2026-01-01")
    return falcon.testing.TestClient(create_app(redis_client))


def call(door, body, token=TOKEN):
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return door.simulate_post(f"{PATH}/{token}", body=raw)


def hints(redis_client):
    journal = Journal(redis_client)
    ids = [entry_id.decode() for entry_id, _ in redis_client.xrange("journal")]
    return [journal.read(i).envelope.event(RecordChanged) for i in ids]


def test_a_call_becomes_a_hint_to_look(door, redis_client):
    answer = call(door, LEAD)

    assert (answer.status_code, answer.json) == (202, {"looks_at": "lead-1"})
    assert hints(redis_client) == [RecordChanged(module="Leads", record_id="lead-1")]


def test_a_burst_is_one_hint_and_a_call_after_the_look_began_is_another(door, redis_client):
    for _ in range(5):
        call(door, LEAD)
    assert len(hints(redis_client)) == 1

    Hints(redis_client).looking("Leads", "lead-1")
    call(door, LEAD)

    assert len(hints(redis_client)) == 2


def test_a_hint_that_could_not_be_kept_holds_back_no_later_one(door, redis_client, monkeypatch):
    def away(_disk, _answer):
        raise NotKeptError("Redis did not flush in time")

    with monkeypatch.context() as patched:
        patched.setattr(OnDisk, "by_itself", lambda _: False)
        patched.setattr(OnDisk, "check", away)
        assert call(door, LEAD).status_code == 503

    assert call(door, LEAD).status_code == 202
    assert len(hints(redis_client)) == 2


def test_a_call_whose_hint_the_connection_lost_is_to_be_made_again(door, redis_client, monkeypatch):
    def lost(*_):
        raise redis.TimeoutError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(Pipeline, "_execute_transaction", lost)
        assert call(door, LEAD).status_code == 503

    assert call(door, LEAD).status_code == 202
    assert len(hints(redis_client)) == 1


class Killed(BaseException):
    """As SIGKILL: nothing of ours runs afterwards."""


@pytest.mark.parametrize("step", ["watch", "multi", "set", "execute"])
def test_a_kill_at_any_step_holds_back_no_later_call(redis_client, monkeypatch, step):
    hint = wrap(RecordChanged(module="Leads", record_id="lead-1"), source=SOURCE)

    def kill(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Pipeline, step, kill)
        with pytest.raises(Killed):
            Hints(redis_client).publish(Producer(redis_client), hint, "Leads", "lead-1")

    assert not Hints(redis_client).waits("Leads", "lead-1")
    assert Hints(redis_client).publish(Producer(redis_client), hint, "Leads", "lead-1")
    assert len(hints(redis_client)) == 1


def test_of_two_calls_at_once_one_is_a_hint(redis_client, monkeypatch):
    hint = wrap(RecordChanged(module="Leads", record_id="lead-1"), source=SOURCE)
    hinting, producer, multi = Hints(redis_client), Producer(redis_client), Pipeline.multi

    def meanwhile(pipe):
        with monkeypatch.context() as patched:
            patched.setattr(Pipeline, "multi", multi)
            assert hinting.publish(producer, hint, "Leads", "lead-1")
        multi(pipe)

    monkeypatch.setattr(Pipeline, "multi", meanwhile)

    assert not hinting.publish(producer, hint, "Leads", "lead-1")
    assert len(hints(redis_client)) == 1


@pytest.mark.parametrize(
    ("body", "looks_at"),
    [
        pytest.param({"bean": "Account", "data": {"id": "a"}}, None, id="another_module"),
        pytest.param({"bean": "Contact", "data": {"id": "c", "x": [1]}}, "c", id="contact"),
        pytest.param({"bean": "Lead", "data": {"id": "only-an-id"}}, "only-an-id", id="deleted"),
    ],
)
def test_a_call_for_other_modules_is_taken_and_let_go(door, redis_client, body, looks_at):
    answer = call(door, body)

    assert (answer.status_code, answer.json["looks_at"]) == (202, looks_at)
    assert len(hints(redis_client)) == (looks_at is not None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"{", 400, id="no_json"),
        pytest.param(b"\xff\xfe", 400, id="no_text"),
        pytest.param(b"[" * 100_000, 400, id="deep"),
        pytest.param({"data": {"id": "x"}}, 400, id="no_bean"),
        pytest.param({"bean": "Lead"}, 400, id="no_data"),
        pytest.param({"bean": "Lead", "data": {"id": ""}}, 400, id="an_empty_id"),
        pytest.param({"bean": "Lead", "data": {"id": "a\0b"}}, 400, id="a_control_character"),
        pytest.param({"bean": "Lead", "data": {"id": "x" * 37}}, 400, id="a_long_id"),
        pytest.param({"bean": "Lead", "data": {"id": 5}}, 400, id="a_number"),
        pytest.param({"bean": "Lead", "data": []}, 400, id="a_list"),
        pytest.param(b'"' + b"x" * (MAX_BYTES + 10) + b'"', 413, id="huge"),
    ],
)
def test_a_body_that_is_no_hook_is_refused_and_leaves_nothing(door, redis_client, body, status):
    answer = call(door, body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert hints(redis_client) == []


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN.upper(), "%ff", "a/b"])
def test_only_the_secret_address_is_answered(door, redis_client, token):
    assert call(door, LEAD, token).status_code == 404
    assert hints(redis_client) == []


def test_nothing_is_answered_once_hooks_are_off(door, redis_client):
    HookAddress(redis_client).forget()

    assert call(door, LEAD).status_code == 404


def test_the_secret_address_is_kept_nowhere(door, redis_client):
    call(door, LEAD)
    call(door, b"{")

    kept = [redis_client.dump(key) for key in redis_client.keys("*")]
    assert not [blob for blob in kept if TOKEN.encode() in blob]
    assert TOKEN not in door.simulate_get("/metrics").text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.builds(
        msgspec.json.encode,
        st.recursive(
            st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["bean", "data", "id", "Lead"]), inner, max_size=3
                )
            ),
        ),
    )
)
def test_no_body_makes_it_fail(door, body):
    assert call(door, body).status_code in (202, 400)
