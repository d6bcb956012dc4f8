from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import redis
from cryptography.fernet import Fernet
from falcon.testing import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.retry import Retry
from standardwebhooks.webhooks import Webhook

from console.intake import create_app
from console.sources import Sources
from events import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, EmailSent
from events.schema import BATCH, ONE, event_schema
from store.journal import Journal
from store.refused_events import RefusedEvents

KEYS = (Fernet.generate_key().decode(),)
SENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "mailer",
    "type": "EmailSent",
    "data": {"message": "welcome", "email": "ana@example.com"},
}


@pytest.fixture
def sources(redis_client):
    return Sources(redis_client, KEYS)


@pytest.fixture
def token(sources):
    return sources.add("mailer")


@pytest.fixture
def client(redis_client):
    return TestClient(create_app(redis_client, KEYS))


@pytest.fixture
def post(client, token):
    def send(body, content_type=ONE, **headers):
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        known = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.simulate_post("/events", body=raw, headers=known | named)

    return send


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"]
    return answer.json


def signed(secret, body, at=None, name="msg_1"):
    at = at or datetime.now(UTC)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, body.decode()),
        "Content-Type": ONE,
    }


def test_only_an_operator_may_have_work_begun(client, sources, redis_client, post):
    order = {"specversion": "1.0", "type": "SyncTick", "source": "s", "id": "1"}
    order |= {"data": {"list": "all-sugarcrm-leads"}}
    headers = {"Authorization": f"Bearer {sources.add('ops', operator=True)}", "Content-Type": ONE}

    refused = problem(post(order), 403)
    accepted = client.simulate_post("/events", body=msgspec.json.encode(order), headers=headers)

    assert "SyncTick is for operators; this source may send FormSubmitted, " in refused["detail"]
    assert (accepted.status_code, redis_client.xlen("journal")) == (202, 1)


@pytest.mark.parametrize("content_type", [ONE, "application/json", f'{ONE}; charset="UTF-8"'])
def test_accepted_event_is_in_the_journal_under_the_id_answered(post, redis_client, content_type):
    answer = post(SENT, content_type)

    assert answer.status_code == 202
    [journal_id] = answer.json["ids"]
    envelope = Journal(redis_client).read(journal_id).envelope
    assert envelope.event() == EmailSent(message="welcome", email="ana@example.com")
    assert envelope.source == "intake/mailer"
    assert redis_client.llen("dramatiq:realtime") == 1


def test_same_event_again_gets_the_same_answer_and_no_effect(post, redis_client):
    first, second = post(SENT), post(SENT)

    assert second.status_code == 202
    assert second.json == first.json
    assert redis_client.xlen("journal") == redis_client.llen("dramatiq:realtime") == 1


def test_batch_of_a_thousand_is_kept_in_order(post, redis_client):
    batch = [SENT | {"id": str(n)} for n in range(MAX_BATCH_EVENTS)]

    answer = post(batch, BATCH)

    assert answer.status_code == 202
    kept = [journal_id.decode() for journal_id, _ in redis_client.xrange("journal")]
    assert answer.json["ids"] == kept
    assert len(kept) == redis_client.llen("dramatiq:realtime") == MAX_BATCH_EVENTS


def test_empty_batch_is_nothing(post):
    assert post([], BATCH).json == {"ids": []}


def test_batch_with_one_bad_event_is_refused_whole(post, redis_client):
    bad = SENT | {"id": "2", "data": {"message": "welcome", "email": "Ana Silva"}}

    answer = problem(post([SENT, bad], BATCH), 400)

    assert answer["field"] == "[1].data.email"
    assert "Silva" not in str(answer)
    assert redis_client.xlen("journal") == 0


def test_no_source_can_take_anothers_ids(client, sources, redis_client):
    tokens = [sources.add("alice"), sources.add("bob")]
    spellings = ("alice", "bob", "intake/alice", "alice/x", "/alice", "../alice")

    for token in tokens:
        for source in spellings:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}
            body = msgspec.json.encode(SENT | {"source": source})
            assert client.simulate_post("/events", body=body, headers=headers).status_code == 202

    kept = [entry.envelope.source for entry in Journal(redis_client).tail(100)]
    assert len(set(kept)) == len(kept) == 12
    assert all(source.split("/")[:2] in (["intake", "alice"], ["intake", "bob"]) for source in kept)


def test_source_too_long_below_its_name_is_refused(post):
    assert problem(post(SENT | {"source": "x" * 512}), 400)["field"] == "source"
    assert post(SENT | {"source": "x" * (512 - len("intake/mailer/"))}).status_code == 202


def test_event_at_the_size_limit_can_be_read_back(post, redis_client):
    fields = {str(n): "x" * 20_000 for n in range(13)} | {"last": ""}
    form = SENT | {"type": "FormSubmitted", "data": {"form": "f", "fields": fields}}
    spare = MAX_EVENT_BYTES - len(msgspec.json.encode(form))
    fields["last"] = "x" * spare

    [journal_id] = post(form).json["ids"]

    assert Journal(redis_client).read(journal_id).envelope.event().fields == fields


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        pytest.param({"Authorization": ""}, "Send the bearer token", id="none"),
        pytest.param({"Authorization": "Basic YTpi"}, "Send the bearer token", id="basic"),
        pytest.param({"Authorization": "Bearer"}, "No source", id="empty_token"),
        pytest.param({"Authorization": "Bearer mailer.guess"}, "No source", id="wrong_token"),
        pytest.param({"Authorization": "Bearer nobody.x"}, "No source", id="unknown_name"),
        pytest.param({"Authorization": "Bearer \xff\xfe"}, "No source", id="no_text"),
    ],
)
def test_unknown_sender_is_told_how_to_be_known(post, redis_client, headers, why):
    answer = post(SENT, **headers)

    assert why in problem(answer, 401)["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert redis_client.xlen("journal") == 0


def test_revoked_token_is_refused(redis_client, token):
    client = TestClient(create_app(redis_client))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}
    Sources(redis_client).revoke("mailer")

    answer = client.simulate_post("/events", body=msgspec.json.encode(SENT), headers=headers)

    problem(answer, 401)


@pytest.mark.usefixtures("token")
def test_signed_event_is_accepted_without_a_token(client, sources, redis_client):
    secret = sources.let_sign("mailer")
    body = msgspec.json.encode(SENT)

    answer = client.simulate_post("/events", body=body, headers=signed(secret, body))

    assert answer.status_code == 202
    entry = Journal(redis_client).read(answer.json["ids"][0])
    assert entry.envelope.source == "intake/mailer"
    assert secret not in str(redis_client.hgetall("sources"))


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"webhook-signature": "v1,bm8="}, id="another_signature"),
        pytest.param({"webhook-signature": "nonsense"}, id="no_comma"),
        pytest.param({"webhook-signature": "v1,!"}, id="no_base64"),
        pytest.param({"webhook-signature": "v1,\xe9"}, id="no_ascii"),
        pytest.param({"webhook-id": "msg_2"}, id="another_id"),
        pytest.param({"webhook-timestamp": "nan"}, id="time_is_nan"),
        pytest.param({"webhook-timestamp": "1e400"}, id="time_is_infinite"),
        pytest.param({"webhook-timestamp": "soon"}, id="time_is_a_word"),
        pytest.param({"webhook-timestamp": ""}, id="no_time"),
    ],
)
def test_bad_signature_is_refused_whatever_is_wrong_with_it(client, sources, spoil):
    body = msgspec.json.encode(SENT)
    headers = signed(sources.let_sign("mailer"), body) | spoil

    problem(client.simulate_post("/events", body=body, headers=headers), 401)


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_signature_of_another_time_is_refused(client, sources, age):
    body = msgspec.json.encode(SENT)
    headers = signed(sources.let_sign("mailer"), body, at=datetime.now(UTC) - age)

    problem(client.simulate_post("/events", body=body, headers=headers), 401)


@pytest.mark.usefixtures("token")
def test_signed_body_that_is_no_text_is_refused(client, sources):
    headers = signed(sources.let_sign("mailer"), b"{}")

    problem(client.simulate_post("/events", body=b"\xff", headers=headers), 401)


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        pytest.param("", {}, id="none"),
        pytest.param("text/plain", {}, id="text"),
        pytest.param("application/x-www-form-urlencoded", {}, id="form"),
        pytest.param(f"{ONE}; charset=latin-1", {}, id="another_charset"),
        pytest.param(ONE, {"Content_Encoding": "gzip"}, id="compressed"),
    ],
)
def test_other_kinds_of_body_are_refused(post, content_type, headers):
    problem(post(SENT, content_type, **headers), 415)


@pytest.mark.parametrize(
    ("content_type", "limit_bytes"), [(ONE, MAX_EVENT_BYTES), (BATCH, MAX_BATCH_BYTES)]
)
def test_body_over_the_limit_is_refused(post, content_type, limit_bytes):
    assert "KB" in problem(post(b" " * (limit_bytes + 1), content_type), 413)["detail"]


def test_more_than_a_thousand_events_are_refused(post):
    batch = [SENT | {"id": str(n)} for n in range(MAX_BATCH_EVENTS + 1)]

    assert "1000" in problem(post(batch, BATCH), 400)["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param(b"", "", id="nothing"),
        pytest.param([SENT], "", id="array_sent_as_one_event"),
        pytest.param(SENT | {"type": "EmailEaten"}, "type", id="unknown_type"),
        pytest.param(SENT | {"data": {"message": "m"}}, "data.email", id="field_missing"),
        pytest.param(SENT | {"id": "a\0"}, "id", id="nul"),
    ],
)
def test_bad_event_is_refused_by_field(post, body, field):
    assert problem(post(body), 400)["field"] == field


def test_every_other_error_is_a_problem_too(client):
    problem(client.simulate_get("/events"), 405)
    problem(client.simulate_get("/nowhere"), 404)


@pytest.fixture
def full(redis_client):
    redis_client.config_set("maxmemory", 1)
    yield
    redis_client.config_set("maxmemory", 0)


@pytest.fixture
def read_only(redis_client):
    redis_client.replicaof("127.0.0.1", "1")
    yield
    redis_client.replicaof("NO", "ONE")


@pytest.mark.parametrize("state", ["full", "read_only"])
def test_store_that_cannot_keep_it_means_try_again_later(post, redis_client, request, state):
    request.getfixturevalue(state)

    answer = post(SENT)

    assert "again later" in problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) > 0
    assert redis_client.xlen("journal") == 0


@pytest.fixture
def nowhere():
    with redis.Redis(port=1, retry=Retry(NoBackoff(), 0)) as client:
        yield TestClient(create_app(client, KEYS))


def test_store_that_is_down_means_try_again_later(nowhere):
    headers = {"Authorization": "Bearer mailer.x", "Content-Type": ONE}

    answer = nowhere.simulate_post("/events", body=msgspec.json.encode(SENT), headers=headers)

    problem(answer, 503)
    assert answer.headers["retry-after"]
    problem(nowhere.simulate_get("/readyz"), 503)
    assert nowhere.simulate_get("/healthz").status_code == 200
    assert "sugarloop_store_up 0.0" in nowhere.simulate_get("/metrics").text


def test_fault_of_ours_is_told_without_its_details(client, token, monkeypatch):
    monkeypatch.setattr("console.intake.decode", lambda _: {}["secret of ana@example.com"])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}

    answer = client.simulate_post("/events", body=b"{}", headers=headers)

    assert "ana" not in str(problem(answer, 500))


def test_health_readiness_and_schema_answer(client):
    assert client.simulate_get("/healthz").json == {"status": "alive"}
    assert client.simulate_get("/readyz").json == {"status": "ready"}
    answer = client.simulate_get("/schema")
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json == msgspec.json.decode(msgspec.json.encode(event_schema()))


def test_metrics_tell_what_came_in_and_what_waits(client, post):
    post(SENT)
    post(SENT)
    post(b"{")
    visit = {"url": "/", "email": "ana@example.com"}
    post(SENT | {"id": "2", "type": "PageVisited", "data": visit})

    text = client.simulate_get("/metrics").text

    for line in (
        'sugarloop_events_total{result="accepted"} 2.0',
        'sugarloop_events_total{result="duplicate"} 1.0',
        'sugarloop_requests_refused_total{status="400"} 1.0',
        'sugarloop_queue_waiting{queue="realtime"} 1.0',
        'sugarloop_queue_waiting{queue="score"} 1.0',
        'sugarloop_queue_dead_letters{queue="sync"} 0.0',
        "sugarloop_store_up 1.0",
    ):
        assert f"\n{line}\n" in text
    assert "sugarloop_behaviour_backlog_seconds 0." in text
    assert "ana" not in text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.binary(max_size=200) | st.fixed_dictionaries(
    {}, optional={name: st.just(value) | values for name, value in SENT.items()}
).map(msgspec.json.encode)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=bodies,
    content_type=st.sampled_from([ONE, BATCH, "application/json"]),
    wrapped=st.booleans(),
    signature=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=255)),
)
def test_garbage_is_never_a_fault_of_ours(post, body, content_type, wrapped, signature):
    body = b"[" + body + b"]" if wrapped else body
    forged = {} if signature is None else dict.fromkeys(["webhook-id", "webhook-timestamp"], "1")
    if signature is not None:
        forged |= {"Authorization": "", "webhook-signature": signature}

    answer = post(body, content_type, **forged)

    assert answer.status_code in (202, 400, 401)


def test_each_refusal_is_kept_with_its_field_and_rule_and_nothing_of_the_event(post, redis_client):
    post(SENT | {"data": {"message": "m", "email": 5, "secret": "canary"}})
    form = {"form": "f", "fields": {"canary@example.com": "a\0b"}}
    post(SENT | {"type": "FormSubmitted", "data": form})
    post(SENT, "text/plain")

    kind, nul, text = RefusedEvents(redis_client).newest(5)

    assert (text.source, text.status, text.field) == ("mailer", 400, "data.email")
    assert "str" in text.rule
    assert (nul.status, nul.field) == (400, "data.fields[...]")
    assert (kind.source, kind.status) == ("mailer", 415)
    assert "canary" not in str(redis_client.xrange("intake:refused"))


@pytest.mark.usefixtures("token")
def test_strangers_are_counted_and_write_nothing(client, sources, redis_client):
    body = msgspec.json.encode(SENT)
    forged = signed(sources.let_sign("mailer"), body) | {"webhook-id": "another"}
    before = redis_client.info("replication")["master_repl_offset"]

    for headers in ({}, {"Authorization": "Bearer mailer.guess"}, forged):
        answer = client.simulate_post("/events", body=body, headers={"Content-Type": ONE} | headers)
        assert answer.status_code == 401

    assert RefusedEvents(redis_client).newest(5) == []
    assert redis_client.info("replication")["master_repl_offset"] == before
    metrics = client.simulate_get("/metrics").text
    assert 'sugarloop_requests_refused_total{status="401"} 3.0' in metrics


@pytest.mark.usefixtures("token")
def test_a_stale_signature_asks_the_store_nothing(client, sources, redis_client):
    body = msgspec.json.encode(SENT)
    old = datetime.now(UTC) - timedelta(minutes=6)
    stale = signed(sources.let_sign("mailer"), body, at=old)
    redis_client.config_resetstat()

    assert client.simulate_post("/events", body=body, headers=stale).status_code == 401

    assert "cmdstat_hgetall" not in redis_client.info("commandstats")


def test_nothing_is_taken_in_while_the_store_is_not_trusted_yet(redis_client, token):
    client = TestClient(create_app(redis_client, KEYS, trusted=lambda: False))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}

    answer = client.simulate_post("/events", body=msgspec.json.encode(SENT), headers=headers)

    assert "does not answer yet" in problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) > 0
    problem(client.simulate_get("/readyz"), 503)
    problem(client.simulate_post("/hooks/sugarcrm/x", body=b"{}"), 503)
    assert client.simulate_get("/healthz").status_code == 200
    assert redis_client.xlen("journal") == 0
