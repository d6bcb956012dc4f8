import io
import json

import dramatiq
import pytest

from store.queues import Deliveries, Why, bodies, held, waiting
from tests.waiting import eventually

OPENED = json.dumps({"message": "spring", "email": "ana@example.com"})
FORM = json.dumps({"form": "demo", "fields": {"email": "ana@example.com"}})


def test_an_event_is_accepted_once(sugarloop):
    words = ("events", "emit", "EmailOpened", "--data", OPENED, "--id", "1", "--json")
    first, second = sugarloop(*words).json, sugarloop(*words).json

    assert (first["accepted"], second["accepted"]) == (True, False)
    assert first["id"] == second["id"]
    (shown,) = sugarloop("events", "tail", "--json").json
    assert shown["data"]["email"] == "ana@example.com"
    assert (shown["source"], shown["id"]) == ("cli", "1")


def test_the_fields_may_come_from_standard_input(sugarloop):
    words = ("events", "emit", "EmailOpened", "--data", "-", "--time", "2026-01-02T03:04:05+01:00")

    assert sugarloop(*words, stdin=OPENED).code == 0
    assert sugarloop("events", "tail", "--json").json[0]["time"] == "2026-01-02T02:04:05Z"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["Nope", "--data", "{}"], "type: must be one of FormSubmitted", id="type"),
        pytest.param(["EmailOpened", "--data", "{"], "--data: it is no valid JSON", id="json"),
        pytest.param(
            ["EmailOpened", "--data", "[" * 100_000], "--data: it is nested too deeply", id="deep"
        ),
        pytest.param(["EmailOpened", "--data", "{}"], "data.message: is required", id="missing"),
        pytest.param(
            ["EmailOpened", "--data", '{"message": "m", "email": "x"}'],
            "data.email: must be one address",
            id="address",
        ),
        pytest.param(["EmailOpened", "--data", OPENED, "--time", "now"], "time:", id="time"),
    ],
)
def test_a_bad_event_is_refused_by_field(sugarloop, words, said):
    outcome = sugarloop("events", "emit", *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert sugarloop("events", "tail", "--json").json == []


@pytest.mark.parametrize("depth", range(900, 1000, 20))
def test_fields_that_can_be_read_but_not_written_for_their_depth_are_no_crash(sugarloop, depth):
    deep = json.dumps({"message": "m", "email": "a@example.com", "x": 1})
    deep = deep.replace("1", "[" * depth + "]" * depth)

    outcome = sugarloop("events", "emit", "EmailOpened", "--data", deep)

    assert outcome.code in (0, 2)


def test_standard_input_that_is_no_text_is_refused(sugarloop, monkeypatch):
    no_text = io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="utf-8")
    monkeypatch.setattr(io, "StringIO", lambda _: no_text)

    outcome = sugarloop("events", "emit", "EmailOpened", "--data", "-")

    assert (outcome.code, "standard input is no text in UTF-8" in outcome.err) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            ["events", "emit", "EmailOpened", "--data", OPENED, "--id", "\udcff"], id="id"
        ),
        pytest.param(["source", "revoke", "\udcff"], id="source"),
        pytest.param(["dead", "show", "\udcff"], id="dead letter"),
        pytest.param(["form", "set", "\udcff", "--to", "leads"], id="form"),
    ],
)
def test_an_argument_that_is_no_text_is_a_usage_error(sugarloop, words):
    """Python reads a byte that is no UTF-8 as a lone surrogate."""
    outcome = sugarloop(*words, "--json")

    assert outcome.json["exit_code"] == outcome.code == 2
    assert "Traceback" not in outcome.err


@pytest.mark.usefixtures("working")
def test_tail_shows_what_became_of_each_event(sugarloop):
    sugarloop("events", "emit", "FormSubmitted", "--data", FORM)
    sugarloop("events", "emit", "EmailOpened", "--data", OPENED)

    def outcome():
        shown = sugarloop("events", "tail", "--type", "FormSubmitted", "--json").json
        return shown[0]["outcome"]

    assert eventually(outcome)["result"] == "kept"
    assert "does not write to SugarCRM" in sugarloop("events", "tail").out


def test_replay_queues_the_work_again(sugarloop, redis_client):
    event = sugarloop("events", "emit", "FormSubmitted", "--data", FORM, "--json").json
    redis_client.delete(waiting("realtime"), bodies("realtime"))

    outcome = sugarloop("events", "replay", event["id"], "--json")

    assert outcome.json["actors"] == ["create_lead"]
    (message_id,) = redis_client.lrange(waiting("realtime"), 0, -1)
    message = json.loads(redis_client.hget(bodies("realtime"), message_id))
    assert (message["actor_name"], message["args"]) == ("create_lead", [event["id"]])


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        pytest.param("x", 2, "is not of the form", id="no journal id"),
        pytest.param("1-1", 1, "holds no event '1-1'", id="no such event"),
    ],
)
def test_only_kept_events_are_replayed(sugarloop, name, code, said):
    outcome = sugarloop("events", "replay", name)

    assert outcome.code == code
    assert said in outcome.err


def test_behaviour_is_not_added_up_twice(sugarloop):
    event = sugarloop("events", "emit", "EmailOpened", "--data", OPENED, "--json").json

    outcome = sugarloop("events", "replay", event["id"])

    assert outcome.code == 1
    assert "added up once" in outcome.err


def test_the_score_shows_each_fact_that_made_it(sugarloop):
    for number in range(3):
        sugarloop("events", "emit", "EmailOpened", "--data", OPENED, "--id", str(number))
    sugarloop("events", "emit", "FormSubmitted", "--data", FORM)

    told = sugarloop("score", "Ana@Example.com", "--json").json

    assert told["score"] == 13
    assert [(f["kind"], f["count"], f["points"]) for f in told["facts"]] == [
        ("FormSubmitted", 1, 10),
        ("EmailOpened", 3, 3),
    ]
    assert sugarloop("score", "nobody").code == 2


def test_the_schema_names_every_event(sugarloop):
    schema = sugarloop("events", "schema", "--json").json
    assert "FormSubmitted" in schema["$defs"]
    assert sugarloop("events", "schema", "--asyncapi", "--json").json["asyncapi"] == "3.0.0"


def test_a_token_is_shown_once(sugarloop, redis_client):
    made = sugarloop("source", "add", "tracker", "--sign", "--json").json

    assert made["token"].startswith("tracker.")
    shown = sugarloop("sources", "--json")
    assert [source["name"] for source in shown.json] == ["tracker"]
    assert made["token"] not in shown.out
    assert made["token"].encode() not in redis_client.hget("sources", "tracker")
    assert sugarloop("source", "add", "tracker").code == 2
    assert sugarloop("source", "add", "No Such").code == 2
    assert sugarloop("source", "revoke", "tracker").code == 0
    assert sugarloop("source", "revoke", "tracker").code == 1


@pytest.fixture
def dead_letter(sugarloop, redis_client):
    """A message that failed for good."""
    sugarloop("events", "emit", "FormSubmitted", "--data", FORM)
    message_id = redis_client.lpop(waiting("realtime")).decode()
    redis_client.sadd(held("w", "realtime"), message_id)
    assert Deliveries(redis_client, "w").bury("realtime", message_id, Why(reason="no use"))
    return message_id


def test_a_dead_letter_is_shown_and_replayed(sugarloop, redis_client, dead_letter):
    listed = sugarloop("dead", "list", "--json").json
    assert (listed["total"], listed["letters"][0]["id"]) == (1, dead_letter)
    shown = sugarloop("dead", "show", dead_letter, "--json").json
    assert (shown["reason"], shown["event"]["type"]) == ("no use", "FormSubmitted")
    assert shown["event"]["data"] == json.loads(FORM)
    assert "dead letters" in sugarloop("status").out

    assert sugarloop("dead", "replay", dead_letter).code == 0

    assert redis_client.lrange(waiting("realtime"), 0, -1) == [dead_letter.encode()]
    assert sugarloop("dead", "replay", dead_letter).code == 1


@pytest.fixture
def dead_letters(dead_letter, redis_client):
    """One of `create_lead`, two of another actor, one that cannot be read."""
    for number in range(2):
        message = dramatiq.Message("realtime", "write_history_note", (f"{number}-0",), {}, {})
        redis_client.zadd(waiting("realtime.XQ"), {f"note{number}": number})
        redis_client.hset(bodies("realtime.XQ"), f"note{number}", message.encode())
    redis_client.zadd(waiting("sync.XQ"), {"broken": 1})
    redis_client.hset(bodies("sync.XQ"), "broken", b"?")
    return dead_letter


def test_all_dead_letters_of_an_actor_are_replayed_at_once(sugarloop, redis_client, dead_letters):
    told = sugarloop("dead", "replay", "--all", "--actor", "write_history_note", "--json").json

    assert (set(told["replayed"]), told["left"]) == ({"note0", "note1"}, [])
    assert set(redis_client.lrange(waiting("realtime"), 0, -1)) == {b"note0", b"note1"}
    rest = sugarloop("dead", "replay", "--all", "--json").json
    assert (rest["replayed"], rest["left"]) == ([dead_letters], ["broken"])
    assert sugarloop("dead", "drop", "--all", "--json").json == {"dropped": ["broken"]}
    assert sugarloop("dead", "list", "--json").json["total"] == 0


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="nothing"),
        pytest.param(("x", "--all"), id="both"),
        pytest.param(("x", "--actor", "create_lead"), id="an actor and one letter"),
    ],
)
@pytest.mark.parametrize("command", ["replay", "drop"])
def test_which_dead_letters_are_meant_has_to_be_said(sugarloop, command, words):
    outcome = sugarloop("dead", command, *words)

    assert outcome.code == 2
    assert "--all" in outcome.err


def test_a_dead_letter_is_dropped(sugarloop, dead_letter):
    assert sugarloop("dead", "drop", dead_letter).code == 0
    outcome = sugarloop("dead", "show", dead_letter)
    assert outcome.code == 1
    assert dead_letter in outcome.err
