"""How products differ, and which versions of the service they serve."""

import subprocess
import sys

import pytest
import requests

from tests.emulated import emulator
from tests.emulator.rest11.asker import REP, Asker, refusal
from tests.emulator.rest11.conftest import MODERN
from tests.emulator.service import Asker as LegacyAsker


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A product from before v11, bulk requests and platforms."""
    folder = tmp_path_factory.mktemp("old")
    with emulator(folder, *MODERN, "--profile", "sugar-7.2", "--leads", "20") as one:
        yield one


@pytest.mark.parametrize("version", ["v10", "v11", "v11_3", "v11_26", "v11.26"])
def test_a_recent_product_serves(crm, running, version):
    asker = Asker(running.url, version)
    asker.tokens = crm.tokens

    assert asker.get("ping") == "pong"


@pytest.mark.parametrize("version", ["v9", "v11_27", "v12", "v10_1"])
def test_a_recent_product_has_no(running, version):
    answer = Asker(running.url, version).ask("GET", "ping")

    assert refusal(answer) == (301, "incorrect_version")
    assert "Location" not in answer.headers


def test_the_version_may_stand_in_a_header(running, crm):
    accept = "application/vnd.sugarcrm.core+json; version="
    address = f"{running.url}/rest/ping"
    token = {"OAuth-Token": crm.tokens["access_token"]}

    known, unknown = (
        requests.get(
            address, headers=token | {"Accept": accept + v}, timeout=20, allow_redirects=False
        )
        for v in ("11.22", "11.99")
    )

    assert known.json() == "pong"
    assert unknown.status_code == 301


def test_an_old_product_serves_v10_only(old):
    assert Asker(old.url, "v10").log_in().get("ServerInfo")["version"] == "7.2.2.1"
    assert Asker(old.url, "v11").ask("GET", "ping").status_code == 301


def test_an_old_product_takes_any_platform(old):
    assert Asker(old.url, "v10").log_in(platform="whatever").get("ping") == "pong"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "bulk", id="bulk_requests"),
        pytest.param("PATCH", "Leads/sync_key/k", id="sync_keys"),
    ],
)
def test_an_old_product_has_no(old, method, path):
    asker = Asker(old.url, "v10").log_in()

    assert refusal(asker.ask(method, path, {})) == (404, "no_method")


def test_an_old_product_takes_no_bearer(old):
    asker = Asker(old.url, "v10").log_in(REP)
    headers = {"Authorization": f"Bearer {asker.tokens['access_token']}"}

    answer = requests.get(f"{asker.base}/ping", headers=headers, timeout=20)

    assert refusal(answer) == (401, "need_login")


def test_an_old_product_chooses_ids_and_lists_no_deleted_records(old):
    asker = Asker(old.url, "v10").log_in()
    made = asker.post("Leads", {"id": "mine", "email1": "x@example.com"})
    flags = made["email"][0]
    asker.delete(f"Leads/{made['id']}")

    page = asker.post("Leads/filter", {"filter": [{"id": made["id"]}], "deleted": True})

    assert made["id"] != "mine"
    assert (flags["primary_address"], flags["opt_out"]) == ("1", "0")
    assert "created_by_link" not in made
    assert page["records"] == []


def test_a_product_of_the_other_protocol_is_refused():
    command = [sys.executable, "-m", "sugarcrm.emulator", "--protocol", "rest11"]

    done = subprocess.run(
        [*command, "--profile", "suitecrm-7.14"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "does not speak rest11" in done.stderr


def test_both_protocols_have_the_same_sample_people(tmp_path):
    people = ("--leads", "20", "--seed", "7")
    with emulator(tmp_path, *MODERN, *people) as one:
        sent = {"order_by": "id", "fields": "last_name"}
        modern = Asker(one.url).log_in().post("Leads/filter", sent)["records"]
    with emulator(tmp_path, "--profile", "sugarcrm-ce-6.5", *people) as one:
        asker = LegacyAsker(one.url)
        older = asker.names(asker.log_in(), fields=("id", "last_name"))

    assert [record["id"] for record in modern] == [record["id"] for record in older]
