"""Mails that bounced and people who unsubscribed are restricted in every list, and in SugarCRM."""

from datetime import UTC, datetime

import pytest

from console.forgetting import forget
from console.members import segment
from console.opting_in import opt_in
from events import EmailBounced, EmailUnsubscribed
from store.history import History
from sugarcrm.crm import Draft
from sync.consent import INVALID, OPT_OUT
from sync.lists import MarketingList
from sync.setup import PullSetup, PushSetup
from workers.take_in import FORGOTTEN
from workers.unreached import NOBODY, PASSING

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", OPT_OUT, INVALID)
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(update_existing=True, fields=(OPT_OUT, INVALID))


@pytest.fixture
def lead(loop, request):
    """Somebody in a list, and in a segment of it; gives the id in SugarCRM."""
    crm_id = f"unreached{abs(hash(request.node.name)) % 10**9}"
    values = {"last_name": "U", "email1": f"{crm_id}@example.com"}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    segment(loop.app, loop.app.lists.get(LEADS), [], "Mailed", datetime.now(UTC))
    yield crm_id
    loop.crm.delete_many("Leads", [crm_id])


def told(loop, crm_id, kind, **more):
    address = f"{crm_id}@Example.com"
    journal_id = loop.publish(kind(email=address, **more))
    return journal_id, loop.app.outcomes.get(journal_id)


def in_segment(loop, crm_id):
    records = loop.app.lists.records(loop.app.lists.get("mailed"))
    (record,) = records.get_many(records.ids_by_email(f"{crm_id}@example.com")).values()
    return record.values


def there(loop, crm_id):
    return loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values


@pytest.mark.parametrize(
    ("kind", "more", "flag", "because"),
    [
        pytest.param(EmailUnsubscribed, {}, OPT_OUT, "unsubscribed", id="unsubscribed"),
        pytest.param(
            EmailUnsubscribed,
            {"message": "news"},
            OPT_OUT,
            "unsubscribed by the message 'news'",
            id="by_a_message",
        ),
        pytest.param(
            EmailBounced, {"message": "news"}, INVALID, "the message 'news' bounced", id="bounced"
        ),
    ],
)
def test_who_says_no_or_bounces_is_restricted_everywhere(loop, lead, kind, more, flag, because):
    journal_id, outcome = told(loop, lead, kind, **more)
    loop.sync(LEADS)

    assert (outcome.result, outcome.reason) == ("updated", f"{flag} is set in {LEADS}, mailed")
    record = loop.members(LEADS)[lead]
    other = INVALID if flag == OPT_OUT else OPT_OUT
    for values in (record.values, in_segment(loop, lead), there(loop, lead)):
        assert (values[flag], values[other]) == ("1", "0")
    entry = History(loop.app.client, LEADS).of_record(record.id)[-1]
    assert (entry.by, entry.moved[0].because[flag]) == (f"event {journal_id}", because)


def test_a_second_delivery_changes_nothing(loop, lead):
    journal_id, first = told(loop, lead, EmailUnsubscribed)
    before = loop.members(LEADS)[lead]

    loop.broker.get_actor("restrict_person").fn(journal_id)

    assert loop.members(LEADS)[lead] == before
    assert loop.app.outcomes.get(journal_id).result == first.result == "updated"


def test_a_bounce_that_may_pass_restricts_nobody(loop, lead):
    _, outcome = told(loop, lead, EmailBounced, message="news", permanent=False)

    assert (outcome.result, outcome.reason) == ("kept", PASSING)
    assert loop.members(LEADS)[lead].values[INVALID] == "0"


def test_who_says_no_again_right_after_opting_in_is_out_on_both_sides(loop, lead):
    told(loop, lead, EmailUnsubscribed)
    loop.sync(LEADS)
    opt_in(loop.app, f"{lead}@example.com")

    told(loop, lead, EmailUnsubscribed)
    for _ in range(2):
        loop.sync(LEADS)

    assert loop.members(LEADS)[lead].values[OPT_OUT] == "1"
    assert there(loop, lead)[OPT_OUT] == "1"
    assert in_segment(loop, lead)[OPT_OUT] == "1"


def test_a_list_without_the_column_is_told_of(loop):
    bare = MarketingList(id="bare", title="Bare", columns=("email1", "last_name"), created_at="")
    loop.app.lists.create(bare)
    loop.add("bare", "r", email1="bare@example.com")

    _, outcome = told(loop, "bare", EmailUnsubscribed)

    assert (outcome.result, outcome.reason) == ("skipped", f"bare has no column {OPT_OUT}")


def test_nobody_and_the_forgotten_are_skipped(loop, lead):
    assert told(loop, "nobody.here", EmailUnsubscribed)[1].reason == NOBODY

    forget(loop.app, f"{lead}@example.com")

    assert told(loop, lead, EmailUnsubscribed)[1].reason == FORGOTTEN
