"""A field that an administrator removes or changes stops its column alone, until it is back."""

import zlib
from datetime import UTC, datetime

import pytest
import requests

from console.standing import standing
from events import PlanRequested, SyncTick
from sugarcrm.crm import Draft
from sync.quarantine import MISSING
from sync.setup import PullSetup, PushSetup

LEADS = "all-sugarcrm-leads"
FIELD = "ext_key_c"
COLUMNS = ("email1", "last_name", "phone_work", FIELD)
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work", FIELD))
PULL = PullSetup(add_new=True, update_existing=True)


@pytest.fixture
def studio(far_end):
    """Change a field as an administrator does in Studio; it is as before afterwards."""

    def change(spec):
        faults = f"{far_end.url}/_emulator/faults"
        requests.post(faults, data=spec and f"studio={spec}", timeout=10).raise_for_status()

    yield change
    change("")


@pytest.fixture
def lead(loop, request):
    crm_id = f"q{zlib.crc32(request.node.name.encode())}"
    values = {"last_name": "Quarantine", "email1": f"{crm_id}@example.com", FIELD: "k1"}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    loop.sync(LEADS)
    return crm_id


def member(loop, crm_id):
    return loop.members(LEADS)[crm_id]


def there(loop, crm_id, field=FIELD):
    return loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values[field]


def quarantined(loop):
    return loop.app.lists.get(LEADS).mapped.quarantined


@pytest.mark.parametrize("spec", [f"{FIELD}:removed", f"{FIELD}:int"], ids=["removed", "retyped"])
def test_the_rest_of_the_person_syncs_and_the_edit_waits_until_the_field_is_back(
    loop, lead, studio, spec
):
    studio(spec)
    loop.edit(LEADS, member(loop, lead), phone_work="7", **{FIELD: "k2"})

    run = loop.sync(LEADS)
    meanwhile = there(loop, lead, "phone_work"), member(loop, lead).values[FIELD]
    waits = loop.app.lists.records(loop.app.lists.get(LEADS)).dirty_count()
    studio("")
    loop.sync(LEADS)

    assert (run.phase, meanwhile, waits) == ("done", ("7", "k2"), 1)
    assert any(reason.startswith(f"{FIELD}: ") for reason in run.reasons)
    assert there(loop, lead) == "k2"
    assert quarantined(loop) == {}


def test_what_changed_there_meanwhile_comes_in_once_the_field_is_back(loop, lead, studio, person):
    studio(f"{FIELD}:int")
    loop.sync(LEADS)
    studio("")
    person.edit("Leads", lead, **{FIELD: "k3"})
    studio(f"{FIELD}:int")
    loop.sync(LEADS)
    before = member(loop, lead).values[FIELD]
    studio("")

    loop.sync(LEADS)

    assert (before, member(loop, lead).values[FIELD]) == ("k1", "k3")
    assert loop.app.lists.get(LEADS).mapped.healing == ()


def test_a_plan_empties_nothing_where_the_field_was_made_anew(loop, lead, studio, person):
    studio(f"{FIELD}:removed")
    loop.sync(LEADS)
    studio("")
    person.edit("Leads", lead, phone_work="9", **{FIELD: ""})

    plan = loop.app.plans.items(f"plan-{loop.publish(PlanRequested(list=LEADS))}")
    planned = {item.record: item.here for item in plan}
    loop.sync(LEADS)

    assert planned == {lead: {"phone_work": ("", "9")}}
    assert member(loop, lead).values[FIELD] == "k1"


@pytest.mark.usefixtures("lead")
def test_the_status_says_which_column_stands_still_and_why(loop, studio):
    studio(f"{FIELD}:removed")
    loop.sync(LEADS)

    (of,) = (one for one in standing(loop.app, datetime.now(UTC)).lists if one.list == LEADS)

    assert not of.in_sync
    assert any(f"{FIELD}: {MISSING}" in why for why in of.why_not)


def test_somebody_new_is_created_without_the_column(loop, lead, studio):
    studio(f"{FIELD}:int")
    loop.add(LEADS, f"new-{lead}", email1=f"new-{lead}@example.com", last_name="N", **{FIELD: "x"})

    loop.sync(LEADS)
    crm_id = loop.app.lists.records(loop.app.lists.get(LEADS)).get_many([f"new-{lead}"])
    created = crm_id[f"new-{lead}"].crm_id
    without = there(loop, created)
    studio("")
    loop.sync(LEADS)

    assert (without, there(loop, created)) == ("", "x")


def test_a_list_of_which_no_field_is_left_stops_and_says_why(loop, lead, studio):
    fields = "+".join(f"{column}:removed" for column in COLUMNS)
    studio(fields)

    run = loop.sync(LEADS)

    assert run.phase == "failed"
    assert "no field of this list" in run.problem
    assert member(loop, lead).values[FIELD] == "k1"


def test_a_field_that_comes_back_blank_is_no_drift_of_everybody_that_night(
    loop, lead, studio, person
):
    studio(f"{FIELD}:removed")
    loop.sync(LEADS)
    studio("")
    untold = {"date_modified": "2001-01-01 00:00:00", "update_date_modified": False}
    person.edit("Leads", lead, **{FIELD: ""}, **untold)

    night = loop.app.runs.get(f"sync-{loop.publish(SyncTick(list=LEADS, compare=True))}")

    assert night.phase == "done"
    assert f"drift: another {FIELD}" not in night.reasons
    assert member(loop, lead).values[FIELD] == "k1"
