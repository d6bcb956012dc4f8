"""Sets, not singles: how many calls a thousand records cost, counted by the server."""

import json
from collections import Counter
from contextlib import closing

import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft
from tests.sugarcrm.people import PEOPLE
from tests.sugarcrm.targets import emulator

PRODUCTS = [("legacy", "suitecrm-7.14"), ("legacy", "sugarcrm-ce-6.5"), ("rest11", "rest11")]
FIELDS = ["first_name", "last_name", "title", "email1", "email_opt_out"]


class Counted:
    """A client, and the calls that the server has seen since they were last asked for."""

    def __init__(self, url, journal):
        self.client = connect(url, *PEOPLE["admin"], deadline_s=20)
        self._journal, self._seen = journal, 0
        self.client.login()
        self.client.by_ids("Leads", ["none"], FIELDS)  # what is read once a process
        self.calls()

    def calls(self):
        lines = self._journal.read_text().splitlines()
        fresh, self._seen = lines[self._seen :], len(lines)
        return Counter(_name(json.loads(line)) for line in fresh)


def _name(line):
    return line.get("method") or line.get("path")


@pytest.fixture(scope="module", params=PRODUCTS, ids=lambda product: product[1])
def counted(request, tmp_path_factory):
    protocol, profile = request.param
    journal = tmp_path_factory.mktemp("journal") / "calls.jsonl"
    many = (
        "--leads",
        "1040",  # some of them deleted
        "--journal",
        str(journal),
    )
    with emulator(profile, *many, protocol=protocol) as url:
        counting = Counted(url, journal)
        with closing(counting.client):
            yield counting


@pytest.fixture(scope="module")
def ids(counted):
    found = walked(lambda after: counted.client.by_id_range("Leads", [], after, None, 1000))
    assert len(found) >= 1000
    return found[:1000]


def walked(page_after):
    found, after = [], ""
    while True:
        page = page_after(after)
        found += [row.id for row in page.rows]
        if page.after is None:
            return found
        after = page.after.id


def test_reading_a_thousand_records(counted, ids):
    counted.calls()
    found = walked(lambda after: counted.client.by_id_range("Leads", FIELDS, after, None, 1000))
    assert set(ids) <= set(found)
    assert 1 <= counted.calls().total() <= 10
    assert len(counted.client.by_ids("Leads", ids, FIELDS)) == 1000
    assert 1 <= counted.calls().total() <= 10


def test_writing_a_thousand_changed_records(counted, ids):
    counted.calls()
    told = counted.client.update_many("Leads", [Draft(one, {"title": "Dr"}) for one in ids])
    assert not any(written.refused for written in told)
    assert 1 <= counted.calls().total() <= 20


def test_creating_a_thousand_records(counted):
    counted.calls()
    drafts = [Draft(f"made-{n}", {"last_name": "Made", "title": str(n)}) for n in range(1000)]
    told = counted.client.create_many("Leads", drafts)
    assert not any(written.refused for written in told)
    assert 1 <= counted.calls().total() <= 20


def test_finding_a_thousand_addresses(counted, ids):
    rows = counted.client.by_ids("Leads", ids, ["email1"])
    emails = [row.values["email1"] for row in rows.values() if row.values["email1"]]
    counted.calls()
    assert len(counted.client.ids_by_email("Leads", emails)) == len(set(map(str.lower, emails)))
    assert 1 <= counted.calls().total() <= 20
