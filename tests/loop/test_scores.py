"""Behaviour adds up to a score, programs copy it into the list, the sync pushes it."""

from events import EmailClicked, EmailOpened, FormSubmitted, PageVisited, ProgramTick
from sugarcrm.crm import Draft
from sync.lists import Program, Step
from sync.score import score
from sync.setup import PullSetup, PushSetup

COLUMNS = ("email1", "last_name", "lead_score_c")
LEADS = "all-sugarcrm-leads"
TO_SCORE = (Step(name="set the score", field="lead_score_c"),)


def points(loop, email):
    return score(loop.app.people.tallies([email])[email])


def test_each_behaviour_counts_once_however_often_it_is_sent_or_delivered(loop):
    for _ in range(3):
        loop.publish(EmailOpened(message="news", email="Ana@Example.com"), source="m", id="1")
    loop.publish(EmailClicked(message="news", email="ana@example.com", url="https://x"))
    loop.publish(PageVisited(url="https://x", email="ana@example.com"))
    loop.publish(FormSubmitted(form="demo", fields={"E-Mail": "ANA@example.com"}))
    loop.broker.get_actor("drain_behaviour").fn()

    assert points(loop, "ana@example.com") == 1 + 5 + 1 + 10


def test_a_drain_of_thousands_is_exact(loop):
    from events import wrap

    events = [
        wrap(PageVisited(url="https://x", email=f"p{n % 7}@example.com"), source="t", id=str(n))
        for n in range(2500)
    ]
    for start in range(0, 2500, 500):
        loop.app.producer.publish_many(events[start : start + 500])
    loop.deliver()

    assert sum(points(loop, f"p{n}@example.com") for n in range(7)) == 2500


def test_behaviour_that_a_newer_version_left_is_passed_over_and_holds_up_nothing(loop):
    newer = b'{"specversion":"1.0","id":"1","source":"m","type":"VideoWatched","data":{}}'
    loop.app.client.xadd("behaviour", {"type": "VideoWatched", "event": newer}, id="1-1")

    loop.publish(PageVisited(url="https://x", email="after@example.com"))

    assert points(loop, "after@example.com") == 1


def test_a_program_sets_the_score_when_now_is_clicked(loop):
    email = "scored@example.com"
    loop.crm.create_many("Leads", [Draft("0000cccc-1", {"last_name": "S", "email1": email})])
    loop.import_all(columns=COLUMNS)
    loop.app.programs.put("p", Program(id="p", name="Score", list=LEADS, steps=TO_SCORE))
    loop.app.producer.publish(EmailClicked(message="m", email=email, url="https://x"))

    loop.publish(ProgramTick(program="p"))

    members = loop.members(LEADS)
    assert members["0000cccc-1"].values["lead_score_c"] == "5"
    assert loop.app.program_runs.get("p").records == len(members)


def test_the_score_is_fresh_in_sugarcrm_after_a_sync_that_pushes_it(loop):
    email = "pushed@example.com"
    loop.crm.create_many("Leads", [Draft("0000cccc-2", {"last_name": "S", "email1": email})])
    loop.import_all(columns=COLUMNS)
    loop.allow(
        LEADS,
        PushSetup(update_existing=True, fields=("lead_score_c",)),
        PullSetup(update_existing=True, fields=("last_name",)),
    )
    loop.app.programs.put("p", Program(id="p", name="Score", list=LEADS, steps=TO_SCORE))
    loop.sync(LEADS)
    loop.app.producer.publish(FormSubmitted(form="demo", fields={"email": email}))

    loop.sync(LEADS)

    row = loop.crm.by_ids("Leads", ["0000cccc-2"], ["lead_score_c"])["0000cccc-2"]
    assert row.values["lead_score_c"] == "10"


def test_a_lead_that_comes_in_with_this_sync_has_its_score_with_it_too(loop):
    email = "straight.in@example.com"
    loop.import_all(columns=COLUMNS)
    loop.allow(
        LEADS,
        PushSetup(update_existing=True, fields=("lead_score_c",)),
        PullSetup(add_new=True, update_existing=True),
    )
    loop.app.programs.put("p", Program(id="p", name="Score", list=LEADS, steps=TO_SCORE))
    loop.app.producer.publish(EmailClicked(message="m", email=email, url="https://x"))
    loop.crm.create_many("Leads", [Draft("0000cccc-3", {"last_name": "S", "email1": email})])

    loop.sync(LEADS)

    row = loop.crm.by_ids("Leads", ["0000cccc-3"], ["lead_score_c"])["0000cccc-3"]
    assert row.values["lead_score_c"] == "5"


def test_somebody_who_is_created_in_sugarcrm_has_their_score_with_them(loop):
    email = "created.scored@example.com"
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(add_new=True))
    loop.app.programs.put("p", Program(id="p", name="Score", list=LEADS, steps=TO_SCORE))
    loop.app.producer.publish(EmailClicked(message="m", email=email, url="https://x"))
    loop.add(LEADS, "new", email1=email, last_name="New")

    loop.sync(LEADS)

    (crm_id,) = loop.crm.ids_by_email("Leads", [email])[email]
    row = loop.crm.by_ids("Leads", [crm_id], ["lead_score_c"])[crm_id]
    loop.crm.delete_many("Leads", [crm_id])
    assert row.values["lead_score_c"] == "5"


def test_a_program_that_sets_no_pushed_column_does_not_run_before_the_sync(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PullSetup(update_existing=True))
    loop.app.programs.put("p", Program(id="p", name="Score", list=LEADS, steps=TO_SCORE))

    loop.sync(LEADS)

    assert loop.app.program_runs.get("p") is None


def test_a_program_marks_nobody_whose_column_may_not_go_out(loop, monkeypatch):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(add_new=True))
    loop.app.programs.put("p", Program(id="p", name="Score", list=LEADS, steps=TO_SCORE))
    email = next(filter(None, (r.values["email1"] for r in loop.members(LEADS).values())))
    loop.app.producer.publish(EmailClicked(message="m", email=email, url="/"))
    loop.sync(LEADS)
    asked, tallies = [], loop.app.people.tallies
    monkeypatch.setattr(loop.app.people, "tallies", lambda a: asked.append(len(a)) or tallies(a))

    idle = loop.sync(LEADS)

    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    assert (records.dirty_count(), idle.looked, len(asked)) == (0, {}, 0)
