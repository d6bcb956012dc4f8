"""Plans, undo and outcomes by the command line."""

import json

import pytest

from store.plans import Plans
from store.runs import Runs
from sync.plan import Item
from sync.runs import Run


@pytest.fixture
def edited(active, leads):
    """A list with one edit that waits to go out, and one person to be created."""
    active("sync", "setup", leads, "--push-new", "--push-update", "phone_work", "--pull-new")
    (person, *_) = active("lists", "members", leads, "--json").json
    active("lists", "edit", leads, person["id"], "phone_work=+1 555 0142")
    active("lists", "add", leads, "email1=planned@example.com", "last_name=Planned")
    return person["id"]


def test_a_plan_is_sums_first_and_details_on_demand(active, leads, edited):
    summary = active("sync", "plan", leads, "--timeout", "20", "--json")
    plan = summary.json["plan"]

    shown = active(
        "sync", "plan", leads, "--show", "last", "--items", "--action", "update", "--json"
    )

    assert (plan["counts"]["action:update"], plan["counts"]["action:create_there"]) == (1, 1)
    assert "items" not in summary.json
    assert shown.json["plan"]["id"] == plan["id"]
    (item,) = shown.json["items"]
    assert (item["record"], item["because"]) == (edited, {"phone_work": "changed in the list"})
    said = active("sync", "plan", leads, "--show", plan["id"], "--record", edited).out
    assert "+1 555 0142" in said
    assert f"sugarloop sync apply {plan['id']}" in said


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_plan_is_written_to_a_file_whole(active, leads, edited, tmp_path, kind):
    path = tmp_path / f"plan.{kind}"

    outcome = active("sync", "plan", leads, "--timeout", "20", "--export", str(path), "--json")

    lines = path.read_text().splitlines()
    if kind == "csv":
        assert lines[0].startswith("record,in SugarCRM,action")
        assert any(line.endswith("changed in the list") and edited in line for line in lines)
        assert outcome.json["exported"] == len(lines) - 1
    else:
        assert {json.loads(line)["action"] for line in lines} == {"update", "create_there"}


def test_a_plan_of_100_000_changes_is_sums_first_a_page_of_items_and_a_whole_file(
    active, leads, redis_client, tmp_path
):
    plans = Plans(redis_client)
    plans.begin("large", leads, "2026-11-01T00:00:00+00:00")
    for at in range(0, 100_000, 1000):
        some = [
            Item(f"r{n}", "update", f"c{n}", there={"title": ("old", f"new {n}")})
            for n in range(at, at + 1000)
        ]
        assert plans.add("large", some, looked_at="0")
    plans.complete("large")
    path = tmp_path / "large.csv"
    show = ("sync", "plan", leads, "--show", "large", "--json")

    summary, details = active(*show).json, active(*show, "--items").json
    exported = active(*show, "--export", str(path)).json["exported"]

    assert summary["plan"]["counts"]["action:update"] == 100_000
    assert "items" not in summary
    assert len(details["items"]) == 50
    with path.open() as file:
        assert (exported, sum(1 for _ in file)) == (100_000, 100_001)
    assert [i["record"] for i in active(*show, "--record", "r99999").json["items"]] == ["r99999"]


def test_a_plan_is_applied_and_its_run_taken_back(active, leads, edited):
    plan = active("sync", "plan", leads, "--timeout", "20", "--json").json["plan"]["id"]

    applied = active("sync", "apply", plan, "--wait", "--timeout", "20", "--json")
    run = applied.json["id"]
    told = active("sync", "outcomes", leads, run, "--what", "updated_there", "--json").json
    added = ("--record", "Planned@example.com", "--json")
    found = active("sync", "outcomes", leads, run, *added).json
    undone = active("sync", "undo", leads, "last", "--wait", "--timeout", "20", "--json")

    assert applied.code == 0, applied.err
    assert applied.json["counts"] == {"created_there": 1, "updated_there": 1}
    assert [(o["record"], o["there"]) for o in told] == [(edited, ["phone_work"])]
    assert [o["what"] for o in found] == [["created_there"]]
    assert undone.json["plan"] == run
    assert undone.json["counts"]["updated_there"] == 1
    assert "nothing is deleted there" in next(iter(undone.json["reasons"]))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["plan", "LIST", "--show", "x"], 1, "no plan 'x' is kept", id="no_plan"),
        pytest.param(["plan", "LIST", "--action", "x"], 2, "none of create_here", id="no_action"),
        pytest.param(["plan", "LIST", "--export", "x.xls"], 2, "neither in .csv", id="no_format"),
        pytest.param(["apply", "x"], 1, "no plan 'x' is kept", id="apply_nothing"),
        pytest.param(["undo", "LIST", "x"], 1, "has no run 'x'", id="undo_nothing"),
        pytest.param(["outcomes", "LIST", "x"], 1, "has no run 'x'", id="outcomes_of_nothing"),
        pytest.param(
            ["outcomes", "LIST", "last", "--what", "reject"], 2, "none of created_here", id="what"
        ),
        pytest.param(
            ["outcomes", "LIST", "last", "--record", "no@x.org"], 1, "has no record", id="nobody"
        ),
        pytest.param(["setup", "LIST", "--guard", "x=1"], 2, "none of creations", id="no_limit"),
        pytest.param(
            ["setup", "LIST", "--guard", "changes=1.5"], 2, "form 500, 20% or off", id="odd_limit"
        ),
        pytest.param(["setup", "LIST", "--guard", "changes=101%"], 2, "more than all", id="share"),
    ],
)
def test_what_cannot_be_meant_is_named(active, leads, words, code, said):
    outcome = active("sync", *[leads if word == "LIST" else word for word in words])

    assert (outcome.code, said in outcome.err) == (code, True), outcome.err


@pytest.mark.usefixtures("edited")
def test_a_run_that_was_folded_stands_for_the_one_that_did_its_work(active, leads, redis_client):
    words = ("sync", "run", leads, "--wait", "--timeout", "20", "--json")
    run = active(*words).json["id"]
    folded = Run(id="sync-f", list=leads, kind="sync", phase="pull")
    Runs(redis_client).fold(folded, into=run)

    told = active("sync", "outcomes", leads, "sync-f", "--json")
    undone = active("sync", "undo", leads, "sync-f", "--wait", "--timeout", "20", "--json")

    assert told.json == active("sync", "outcomes", leads, run, "--json").json != []
    assert (undone.json["phase"], undone.json["plan"]) == ("done", run)
    for outcome in (told, undone):
        assert f"Run sync-f was folded into {run}" in outcome.err


@pytest.mark.parametrize("command", ["outcomes", "undo"])
def test_a_run_that_was_folded_into_one_that_waits_has_done_nothing_yet(
    active, leads, redis_client, command
):
    folded = Run(id="sync-f", list=leads, kind="sync", phase="pull")
    Runs(redis_client).fold(folded, into="sync-w")

    told = active("sync", command, leads, "sync-f")

    assert told.code == 1
    assert "'sync-f' was folded into 'sync-w', which has not begun" in told.err


def test_a_guard_is_saved_in_part_and_shown(active, leads):
    active("sync", "setup", leads, "--guard", "creations=500,blanks=off")
    active("sync", "setup", leads, "--guard", "changes=20%")

    shown = " ".join(active("sync", "show", leads).out.split())

    assert "creations 500, changes 20%, blanks off, deletions 20%" in shown
