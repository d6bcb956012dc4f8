"""Adding up behaviour: it ends, keeps its turn while it lasts, and stops when it is told to."""

import pytest

from events import PageVisited, ProgramTick, wrap
from sync.failure import Postponed
from sync.lists import Program, Step
from sync.score import score
from sync.setup import PullSetup, PushSetup
from workers import behaviour
from workers.stopping import Stopping

LEADS = "all-sugarcrm-leads"
WHO = "ana@example.com"
VISIT = PageVisited(url="https://x", email=WHO)
NEARLY_OVER_MS = 1000  # of a lease of 15 s


@pytest.fixture
def app(loop, monkeypatch):
    """An installation that adds up one event at a time."""
    monkeypatch.setattr(behaviour, "DRAIN", 1)
    return loop.app


@pytest.fixture
def stopping():
    yield Stopping().before_worker_shutdown
    Stopping().before_worker_boot(None, None)


def waits(app, count):
    app.producer.publish_many([wrap(VISIT, source="site") for _ in range(count)])


def before_each_part(app, monkeypatch, do):
    advance = app.people.advance

    def advanced(*parts):
        do()
        return advance(*parts)

    monkeypatch.setattr(app.people, "advance", advanced)


def points(app):
    return score(app.people.tallies([WHO])[WHO])


def test_behaviour_that_keeps_coming_is_left_to_a_message_of_its_own(loop, app, monkeypatch):
    waits(app, 3)
    app.client.delete("dramatiq:score")
    coming = iter(range(20))
    before_each_part(app, monkeypatch, lambda: next(coming, None) is None or waits(app, 1))

    behaviour.take_turn(app)
    added, messages = points(app), app.client.llen("dramatiq:score")
    loop.deliver()

    assert (added, messages) == (3, 1)
    assert points(app) == 3 + 20


def ages(app, key, left_ms):
    """Notes how long a lease lasts still, and lets it be nearly over."""
    left_ms.append(app.client.pttl(key))
    app.client.pexpire(key, NEARLY_OVER_MS)


def test_a_long_drain_keeps_its_turn(app, monkeypatch):
    waits(app, 3)
    left_ms = []
    before_each_part(app, monkeypatch, lambda: ages(app, "lease:behaviour", left_ms))

    behaviour.take_turn(app)

    assert len(left_ms) == 3
    assert all(ms > NEARLY_OVER_MS for ms in left_ms)


def test_a_drain_that_lost_its_turn_leaves_the_rest_to_its_message(app, monkeypatch):
    waits(app, 3)
    before_each_part(app, monkeypatch, lambda: app.client.delete("lease:behaviour"))

    with pytest.raises(Postponed, match="another worker"):
        behaviour.take_turn(app)

    assert points(app) == 1


def test_who_waits_long_for_another_drain_has_not_failed(app, monkeypatch):
    monkeypatch.setattr(behaviour, "PATIENCE_S", 0)

    with app.leases.held("behaviour", 10), pytest.raises(Postponed, match="another worker"):
        behaviour.take_turn(app)


def test_a_drain_that_is_told_to_stop_leaves_the_rest_to_its_message(app, monkeypatch, stopping):
    waits(app, 3)
    before_each_part(app, monkeypatch, lambda: stopping(None, None))

    with pytest.raises(Postponed) as told:
        behaviour.take_turn(app)

    assert (points(app), told.value.retry_in_s) == (1, 0)


def test_a_drain_that_finds_nothing_is_done_even_when_it_is_told_to_stop(app, stopping):
    stopping(None, None)

    behaviour.take_turn(app)


@pytest.fixture
def scored(loop):
    """A list with a program that sets a column which goes out, so that it runs with each sync."""
    loop.import_all(columns=("email1", "lead_score_c"))
    steps = (Step(name="set the score", field="lead_score_c"),)
    loop.app.programs.put("p", Program(id="p", name="Score", list=LEADS, steps=steps))
    push = PushSetup(update_existing=True, fields=("lead_score_c",))
    loop.allow(LEADS, push, PullSetup(update_existing=True, fields=("last_name",)))
    loop.sync(LEADS)
    return loop


def test_a_sync_that_adds_up_a_long_backlog_keeps_its_lease(scored, app, monkeypatch):
    waits(app, 3)
    app.client.delete("dramatiq:score")
    left_ms = []

    def lease_ages():
        run = app.runs.active(LEADS)
        ages(app, f"lease:run:{run.id}:", left_ms)

    before_each_part(app, monkeypatch, lease_ages)

    run = scored.sync(LEADS)

    assert (run.phase, len(left_ms)) == ("done", 3)
    assert all(ms > NEARLY_OVER_MS for ms in left_ms)


def test_a_program_told_to_stop_while_it_adds_up_is_run_by_its_message(
    scored, app, monkeypatch, stopping
):
    waits(app, 2)
    tick = app.producer.publish(ProgramTick(program="p")).id
    run_program = scored.broker.get_actor("run_program").fn
    with monkeypatch.context() as patched:
        before_each_part(app, patched, lambda: stopping(None, None))
        with pytest.raises(Postponed):
            run_program(tick)
    assert app.outcomes.get(tick) is None
    Stopping().before_worker_boot(None, None)

    run_program(tick)

    assert points(app) == 2
    assert app.outcomes.get(tick).result == "ran"
