import subprocess
import sys
from pathlib import Path

import dramatiq
import pytest

from store.lists import Lists
from store.queues import bodies, waiting
from store.runs import Runs
from store.schedules import Schedules
from sync.lists import MarketingList
from sync.runs import Run
from tests.salesperson import Salesperson
from tests.serving import environ

EXECUTABLE = Path(sys.executable).with_name("sugarloop")


def setup_of(sugarloop, leads):
    return sugarloop("sync", "show", leads, "--json").json["setup"]


def test_a_fresh_setup_has_the_guides_defaults(active, leads):
    setup = setup_of(active, leads)

    nothing = {"add_new": False, "update_existing": False, "fields": [], "delete": False}
    assert setup["push"] == nothing
    assert setup["pull"] == {"add_new": False, "update_existing": False, "fields": None}


def test_only_the_given_options_change(active, leads):
    active("sync", "setup", leads, "--push-new", "--push-update", "last_name, status")
    active("sync", "setup", leads, "--pull-new", "--pull-update", "all")
    active("sync", "setup", leads, "--no-push-new", "--schedule", "daily 05:00")

    setup = setup_of(active, leads)
    assert setup["push"]["fields"] == ["last_name", "status"]
    assert setup["push"]["add_new"] is False
    assert setup["pull"] == {"add_new": True, "update_existing": True, "fields": None}
    assert (setup["schedule"]["every"], setup["schedule"]["zone"]) == ("daily", "UTC")


def test_none_takes_a_choice_back(active, leads):
    active("sync", "setup", leads, "--push-update", "status", "--pull-update", "status,last_name")
    assert setup_of(active, leads)["pull"]["fields"] == ["status", "last_name"]

    active("sync", "setup", leads, "--push-update", "none", "--pull-update", "none")

    setup = setup_of(active, leads)
    nothing = {"add_new": False, "update_existing": False, "fields": [], "delete": False}
    assert setup["push"] == nothing
    assert setup["pull"]["update_existing"] is False


def test_a_schedule_is_saved_with_its_setup(active, leads, redis_client):
    words = ("--pull-update", "all", "--schedule", "weekly mon 05:00")
    active("sync", "setup", leads, *words, "--zone", "Europe/Paris", "--start", "2030-01-01")

    saved = Schedules(redis_client).all()[f"sync:{leads}"]
    assert (saved.kind, saved.target, saved.schedule.zone) == ("sync", leads, "Europe/Paris")
    row = active("lists", "--json").json[0]
    assert row["next_sync"] == "2030-01-07T04:00:00+00:00"

    active("sync", "setup", leads, "--zone", "UTC")
    assert Schedules(redis_client).all()[f"sync:{leads}"].schedule.every == "weekly"
    night = Schedules(redis_client).all()[f"compare:{leads}"]
    assert (night.kind, night.schedule.hour, night.schedule.zone) == ("compare", 3, "UTC")
    active("sync", "setup", leads, "--no-nightly")
    assert list(Schedules(redis_client).all()) == [f"sync:{leads}"]
    active("sync", "setup", leads, "--schedule", "none")
    assert Schedules(redis_client).all() == {}


def test_a_comparison_tells_how_far_the_list_drifted(active, leads):
    active("sync", "setup", leads, "--pull-update", "all")

    run = active("sync", "run", leads, "--compare", "--wait", "--timeout", "20", "--json").json

    assert (run["kind"], run["counts"]["compared"] > 10) == ("compare", True)
    (of,) = active("status", "--json").json["lists"]
    assert (of["drift"], of["compared_at"]) == (0.0, run["started_at"])
    assert "0.00%" in active("status").out


def test_fields_are_added_to_a_choice_and_taken_from_it(active, leads):
    columns = active("lists", "show", leads, "--json").json["row"]
    active("sync", "setup", leads, "--push-update", "status", "--pull-update", "all,-status")
    first = active("sync", "show", leads, "--json").json["setup"]
    active("sync", "setup", leads, "--push-update=+phone_work,-status", "--pull-update=+status")

    then = active("sync", "show", leads, "--json").json["setup"]

    assert columns["id"] == leads
    assert (first["push"]["fields"], "status" in first["pull"]["fields"]) == (["status"], False)
    assert "last_name" in first["pull"]["fields"]
    assert then["push"]["fields"] == ["phone_work"]
    assert then["pull"]["fields"] == [*first["pull"]["fields"], "status"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ["--push-new", "--push-update", "x"], "--push-update: 'x' is no column", id="push"
        ),
        pytest.param(["--push-update", "all"], "--push-update: name the fields", id="push all"),
        pytest.param(["--push-update=-status"], "-status: 'status' is not among", id="drop"),
        pytest.param(["--push-update", "phone"], "did you mean phone_work?", id="meant"),
        pytest.param(["--pull-update", "x,status"], "--pull-update: 'x' is no column", id="pull"),
        pytest.param(["--schedule", "dayly"], "schedule: 'dayly' is not of the form", id="form"),
        pytest.param(["--schedule", "daily 25:00"], "not between 00:00", id="hour"),
        pytest.param(["--schedule", "daily 05:00"], "nothing is chosen to push", id="idle"),
        pytest.param(["--zone", "UTC"], "--start and --zone need one", id="zone alone"),
        pytest.param(["--deleted", "bury"], "--deleted: 'bury' is none of remove (", id="deleted"),
        pytest.param(
            ["--pull-new", "--schedule", "daily 05:00", "--zone", "Mars"],
            "'Mars' is not",
            id="zone",
        ),
        pytest.param(
            ["--pull-new", "--schedule", "daily 05:00", "--start", "soon"],
            "start: 'soon'",
            id="start",
        ),
    ],
)
def test_a_setup_that_does_not_fit_saves_nothing(active, leads, redis_client, words, said):
    before = setup_of(active, leads)

    outcome = active("sync", "setup", leads, *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert setup_of(active, leads) == before
    assert Schedules(redis_client).all() == {}


def test_a_list_that_mirrors_nothing_does_not_sync(sugarloop):
    sugarloop("lists", "create", "Friends")

    for command in (("sync", "show"), ("sync", "setup"), ("sync", "run")):
        outcome = sugarloop(*command, "Friends")
        assert outcome.code == 1
        assert "does not sync" in outcome.err


def test_a_list_without_a_setup_is_told_so(active, leads):
    outcome = active("sync", "run", leads)

    assert outcome.code == 1
    assert "has no sync setup" in outcome.err


def test_a_sync_is_waited_for_and_counted(active, leads):
    active("sync", "setup", leads, "--push-new", "--pull-new", "--pull-update", "all")
    active("lists", "add", leads, "email1=waited-for@example.com", "last_name=Waited")
    assert active("status", "--json").json["lists"][0]["dirty"] == 1

    outcome = active("sync", "run", leads, "--wait", "--timeout", "20", "--json")

    assert outcome.code == 0, outcome.err
    assert outcome.json["phase"] == "done"
    assert outcome.json["counts"]["created_there"] == 1
    runs = active("sync", "runs", leads, "--json").json
    assert [run["kind"] for run in runs] == ["sync", "import"]
    assert active("status", "--json").json["lists"][0]["in_sync"] is True


def test_rejected_records_make_it_partly_done(active, leads):
    active("sync", "setup", leads, "--push-new")
    active("lists", "add", leads, "email1=nameless@example.com")

    outcome = active("sync", "run", leads, "--wait", "--timeout", "20")

    assert outcome.code == 3
    assert "last_name is empty" in outcome.out
    (one,) = active("status", "--json").json["lists"]
    assert one["in_sync"] is False
    assert one["rejected"] == 1
    assert one["reasons"] == {"last_name is empty, and SugarCRM needs one": 1}


def test_nobody_takes_it_up_in_time(active):
    outcome = active("import", "contacts", "--wait", "--timeout", "0.3")

    assert (outcome.code, outcome.out) == (75, "")
    assert "not over after 0.3 s" in outcome.err


def test_an_import_checks_its_columns_first(active):
    outcome = active("import", "contacts", "--columns", "email1,nope")

    assert outcome.code == 2
    assert "not among the fields of Contacts: nope" in outcome.err
    assert active("events", "tail", "--json").json == []


@pytest.mark.usefixtures("working")
def test_all_columns_are_imported_when_asked_for(active):
    words = ("import", "contacts", "--columns", "all", "--wait", "--timeout", "20", "--json")
    outcome = active(*words)

    assert outcome.json["counts"]["created_here"] > 0
    assert len(active("lists", "columns", "all-sugarcrm-contacts", "--json").json["columns"]) > 50


def test_the_next_times_are_shown_before_a_schedule_is_saved(active, leads, redis_client):
    words = ("weekly mon,thu 05:00,17:00", "--zone", "Europe/Paris")

    shown = active("sync", "times", *words, "--json").json

    assert len(shown["next"]) == 5
    assert {at[11:16] for at in shown["next"]} == {"05:00", "17:00"}
    assert Schedules(redis_client).all() == {}
    saved = active(
        "sync",
        "setup",
        leads,
        "--pull-new",
        "--schedule",
        *words,
        "--start",
        "2030-01-01",
        "--json",
    )
    assert saved.json["next"][0] == "2030-01-03T05:00+01:00"
    assert active("sync", "times", "weekly funday 05:00").code == 2


def test_a_run_that_is_not_there_cannot_be_cancelled(active, leads):
    outcome = active("sync", "cancel", leads)

    assert (outcome.code, "no run of" in outcome.err) == (1, True)
    assert active("sync", "retry", leads, "--json").json == {"records": 0}


def test_a_run_that_stands_still_is_woken_to_be_cancelled(redis_url, redis_client, tmp_path):
    """By the command as it is installed: in this process, tests give dramatiq a broker."""
    Lists(redis_client).create(MarketingList(id="friends", title="Friends", module="Leads"))
    long_ago = "2026-01-01T00:00:00+00:00"
    still = Run(id="s-1", list="friends", kind="sync", phase="pull", progressed_at=long_ago)
    Runs(redis_client).start(still)

    env = environ(REDIS_URL=redis_url, SUGARLOOP_HOME=str(tmp_path))
    command = [EXECUTABLE, "sync", "cancel", "friends"]
    told = subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    assert (told.returncode, "Run s-1 ends" in told.stdout) == (0, True), told.stderr
    (message_id,) = redis_client.lrange(waiting("sync"), 0, -1)
    message = dramatiq.Message.decode(redis_client.hget(bodies("sync"), message_id))
    assert (message.actor_name, message.args) == ("pull_batch", ("s-1",))
    assert message.options["redis_message_id"] == message_id.decode()


def test_what_becomes_of_the_deleted_is_set_and_shown(active, sugarloop, leads):
    active("sync", "setup", leads, "--deleted", "mark")

    assert setup_of(sugarloop, leads)["deleted"] == "mark"
    assert "they stay in the list, marked" in sugarloop("sync", "show", leads).out
    assert "gone" in sugarloop("lists", "members", leads, "--limit", "1").out
    assert sugarloop("lists", "export", leads).out.splitlines()[0].endswith(",gone")


def test_a_removal_says_whether_sugarcrm_deletes_the_person_too(active, leads):
    people = active("lists", "members", leads, "--json").json
    first, second = (person["id"] for person in people[:2])
    kept = active("lists", "remove", leads, first).out

    active("sync", "setup", leads, "--push-delete")
    shown = active("sync", "show", leads).out
    doomed = active("lists", "remove", leads, second).out

    assert "It stays in SugarCRM" in kept
    (line,) = (line for line in shown.splitlines() if "who is removed here" in line)
    assert line.split()[-1] == "yes"
    assert "The next sync deletes it in SugarCRM, unless it was edited there." in doomed


def test_an_opt_out_is_lifted_by_address(active, leads):
    active("sync", "setup", leads, "--push-update", "status", "--pull-update", "all")

    unknown = active("opt-in", "nobody@example.com")

    assert unknown.code == 1
    assert "opted out in any list" in unknown.err
    assert active("opt-in", "not an address").code == 2


def test_who_waits_to_be_deleted_there_is_let_be_when_the_list_stops_that(active, leads, far_end):
    person = active("lists", "members", leads, "--json").json[0]["id"]
    active("sync", "setup", leads, "--push-delete", "--push-update", "phone_work")
    active("lists", "remove", leads, person)

    active("sync", "setup", leads, "--no-push-delete", "--push-update", "none")
    active("sync", "setup", leads, "--push-delete")
    active("sync", "run", leads, "--wait", "--timeout", "20")

    assert person in Salesperson(far_end.url).ids("Leads")
