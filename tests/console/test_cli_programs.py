import pytest

from store.schedules import Schedules


def test_a_program_puts_the_score_into_the_list(active, leads):
    person = active("lists", "members", leads, "--where", "email1~@", "--json").json[0]
    email = person["values"]["email1"]
    made = active(
        "program", "create", leads, "Lead score", "--set", "lead_score_c=behavioral_score"
    )
    data = f'{{"message": "m", "email": "{email}", "url": "/"}}'
    active("events", "emit", "EmailClicked", "--data", data)

    outcome = active("program", "run", "lead score", "--wait", "--timeout", "20", "--json")

    assert (made.code, outcome.code) == (0, 0)
    assert outcome.json["records"] == active("lists", "--json").json[0]["count"] >= 19
    after = active("lists", "members", leads, "--where", f"email1={email}", "--json").json[0]
    assert after["values"]["lead_score_c"] == "5"
    assert active("lists", "--json").json[0]["program"] is True
    (shown,) = active("programs", "--json").json
    assert shown["last_run"] == outcome.json
    assert active("program", "show", "Lead score", "--json").json == shown


def test_a_programs_schedule_is_saved_with_it(active, leads, redis_client):
    words = ("program", "create", leads, "P", "--set", "status=New")
    active(*words, "--schedule", "monthly 31 04:30", "--zone", "Europe/Paris")

    saved = Schedules(redis_client).all()["program:p"]
    assert (saved.kind, saved.target, saved.schedule.day) == ("program", "p", 31)
    assert active("program", "show", "p", "--json").json["program"]["steps"] == [
        {"name": "Set status", "field": "status", "to": "value", "value": "New"}
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["P", "--set", "nope=behavioral_score"], 2, "nope: no column", id="column"),
        pytest.param(["P", "--set", "nope=1"], 2, "nope: no column", id="column of a value"),
        pytest.param(
            ["P", "--set", "birthdate=behavioral_score"], 2, "type date", id="no number fits"
        ),
        pytest.param(["P", "--set", "status=Hot"], 2, "'Hot' is none of New", id="value"),
        pytest.param(["P", "--set", "status"], 2, "field=value", id="no equals sign"),
        pytest.param(["P"], 2, "Missing option '--set'", id="no step"),
        pytest.param(
            ["P", "--set", "status=New", "--schedule", "x"], 2, "not of the form", id="schedule"
        ),
    ],
)
def test_a_program_that_cannot_work_is_not_kept(active, leads, words, code, said):
    outcome = active("program", "create", leads, *words)

    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert active("programs", "--json").json == []


def test_a_program_is_changed_and_removed_with_its_schedule(active, leads, redis_client):
    words = ("program", "create", leads, "P", "--set", "status=New", "--schedule", "daily 05:00")
    active(*words)

    changed = active("program", "set", "P", "--schedule", "weekly mon 06:00", "--zone", "UTC")
    active("program", "set", "p", "--set", "status=Dead")
    (kept,) = active("programs", "--json").json
    slot = Schedules(redis_client).all()["program:p"].schedule
    removed = active("program", "remove", "p")

    assert "Next: " in changed.out
    assert [step["value"] for step in kept["program"]["steps"]] == ["Dead"]
    assert (slot.every, kept["program"]["schedule"]["every"]) == ("weekly", "weekly")
    assert (removed.code, active("programs", "--json").json) == (0, [])
    assert "program:p" not in Schedules(redis_client).all()
    assert active("program", "remove", "p").code == 1


def test_a_name_is_given_once(active, leads):
    words = ("program", "create", leads, "P", "--set", "status=New")

    assert [active(*words).code for _ in range(2)] == [0, 1]


def test_a_form_is_set_step_by_step(active):
    mapped = ("--map", "mail=email1", "--map", "surname=last_name")
    assert active("form", "set", "demo", "--to", "leads", *mapped).code == 0
    assert active("form", "set", "demo", "--update", "last_name").code == 0

    (form,) = active("forms", "--json").json
    assert form == {
        "form": "demo",
        "module": "Leads",
        "mapping": {"mail": "email1", "surname": "last_name"},
        "may_update": ["last_name"],
    }
    assert active("form", "set", "demo", "--to", "none", "--json").json["module"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--to", "cats"], "--to: 'cats' is neither leads nor contacts", id="module"),
        pytest.param(["--to", "leads"], "needs at least one field", id="no mapping"),
        pytest.param(["--to", "leads", "--map", "a=nope"], "'nope' is no field of", id="field"),
        pytest.param(["--to", "leads", "--map", "a"], "form field=value", id="mapping"),
        pytest.param(
            ["--to", "leads", "--map", "a=email1", "--map", "b=email1"],
            "stands for two form fields",
            id="one field twice",
        ),
        pytest.param(
            ["--to", "leads", "--map", "a=email1", "--update", "title"],
            "'title' is not among the mapped fields",
            id="update",
        ),
    ],
)
def test_a_form_setting_that_cannot_work_is_not_kept(active, words, said):
    outcome = active("form", "set", "demo", *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert active("forms", "--json").json == []


def test_a_message_leaves_notes_when_told_to(sugarloop):
    sugarloop("message", "set", "spring", "--note", "on")
    assert sugarloop("messages", "--json").json == [{"message": "spring", "note": True}]

    sugarloop("message", "set", "spring", "--note", "off")
    assert sugarloop("messages", "--json").json == [{"message": "spring", "note": False}]
    assert sugarloop("message", "set", "spring", "--note", "maybe").code == 2
