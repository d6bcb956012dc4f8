"""Sample people: the same each time, and awkward in every way that has made trouble."""

import re

import pytest

from tests.emulated import emulator
from tests.emulator.service import Asker

FIELDS = ("id", "first_name", "last_name", "email1", "status", "lead_score_c", "date_modified")


def people(folder, seed, fields=FIELDS):
    with emulator(folder, "--leads", "300", "--contacts", "80", "--seed", str(seed)) as one:
        ask = Asker(one.url)
        session = ask.log_in()
        contacts = ("id", "last_name", "email1", "date_modified")
        return ask.names(session, fields=fields), ask.names(session, "Contacts", fields=contacts)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    with emulator(tmp_path_factory.mktemp("sample"), "--leads", "1500", "--contacts", "400") as one:
        ask = Asker(one.url)
        yield ask, ask.log_in()


def test_the_same_seed_makes_the_same_people(tmp_path):
    assert people(tmp_path, 7) == people(tmp_path, 7)


def test_another_seed_makes_other_people(tmp_path):
    assert people(tmp_path, 7) != people(tmp_path, 8)


def test_names_hold_every_awkward_sign(sample):
    ask, session = sample
    names = "\n".join(row["last_name"] for row in ask.names(session))

    for sign in ("&#039;", "&quot;", "&lt;", "&gt;", "&", "&amp;", "🎉", "山", "ü", "%", "\\"):
        assert sign in names
    assert max(map(len, names.splitlines())) == 99


def test_addresses_are_fictional(sample):
    ask, session = sample
    rows = ask.names(session, fields=("email1", "phone_work"))

    assert all(
        re.search(r"@example\.(com|org|net)$", r["email1"].lower()) for r in rows if r["email1"]
    )
    assert all("555 01" in row["phone_work"] for row in rows)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        pytest.param("leads.deleted = 1", "deleted", id="some_are_deleted"),
        pytest.param("leads.converted = 1 and leads.contact_id <> ''", "converted", id="converted"),
        pytest.param("leads.birthdate is null", "no date", id="some_dates_are_empty"),
        pytest.param("leads_cstm.lead_score_c is null", "null", id="some_scores_are_empty"),
        pytest.param("leads_cstm.interests_c like '%^,^%'", "two", id="several_interests"),
        pytest.param(
            "leads.id in (select bean_id from email_addr_bean_rel eabr join email_addresses ea"
            " on ea.id = eabr.email_address_id where ea.opt_out = 1)",
            "opted out",
            id="some_are_opted_out",
        ),
    ],
)
def test_every_state_occurs_but_not_everywhere(sample, query, reason):
    ask, session = sample

    assert 0 < len(ask.names(session, query=query)) < 1500, reason


def test_many_rows_share_a_second(sample):
    ask, session = sample
    rows = ask.names(session)

    assert len({row["date_modified"] for row in rows}) <= len(rows) / 20


def test_some_addresses_are_shared_in_capitals_or_missing(sample):
    ask, session = sample
    addresses = [row["email1"] for row in ask.names(session, fields=("email1",))]

    assert addresses.count("") > 50
    assert any(address.isupper() for address in addresses)
    assert len({a for a in addresses if a}) < len([a for a in addresses if a])


def test_a_thousand_records_come_quickly(sample):
    ask, session = sample
    fields = [*FIELDS, "title", "description", "account_name", "lead_source", "deleted"]
    answer = ask.post(
        "get_entry_list",
        [session, "Leads", "", "date_modified asc, id asc", 0, fields, [], 1000, 1],
    )

    assert answer.json()["result_count"] == 1000
    assert answer.elapsed.total_seconds() < 2
