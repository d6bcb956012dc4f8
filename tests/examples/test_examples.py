"""Each example is run as its own text says."""

import re
import subprocess
import sys

import pytest
import requests

from console.sources import Sources
from events import FormSubmitted
from store.journal import Journal
from tests import serving


def run(*arguments, **variables):
    return subprocess.run(
        [sys.executable, *arguments],
        env=serving.environ(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def intake(redis_url, redis_client, tmp_path):
    with serving.web(redis_url, tmp_path) as (_, address, _):
        yield {"EVENTS_URL": f"{address}/events", "EVENTS_TOKEN": Sources(redis_client).add("ex")}


def kept(redis_client):
    return [(entry.type, entry.envelope.event()) for entry in Journal(redis_client).tail(100)]


@pytest.mark.parametrize(
    ("example", "missing"),
    [
        ("form_handler.py", "REDIS_URL"),
        ("mail_webhook.py", "EVENTS_TOKEN"),
        ("tracker.py", "EVENTS_TOKEN"),
    ],
)
def test_example_without_its_variables_says_which(example, missing):
    ended = run(f"examples/{example}")

    assert ended.returncode == 1
    assert missing in ended.stderr
    assert "Traceback" not in ended.stderr


def test_submitted_form_is_kept_once_however_often_it_is_sent(redis_url, redis_client, tmp_path):
    port = serving.free_port()
    page, log = f"http://127.0.0.1:{port}/", tmp_path / "log"
    with serving.started(
        ["examples/form_handler.py"], page, log, REDIS_URL=redis_url, PORT=str(port)
    ):
        shown = requests.get(page, timeout=5).text
        submission = re.search(r'name="submission" value="([^"]+)"', shown)[1]
        form = {"submission": submission, "last_name": "Silva", "email": "ana@example.com"}
        answers = [requests.post(page, data=form, timeout=5) for _ in range(2)]
        refused = requests.post(page, data={"last_name": "x" * 20_001}, timeout=5)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (refused.status_code, "data.fields" in refused.text) == (400, True)
    submitted = {"last_name": "Silva", "email": "ana@example.com"}
    assert kept(redis_client) == [
        ("FormSubmitted", FormSubmitted(form="demo-request", fields=submitted))
    ]


def test_sample_of_the_mail_sender_becomes_its_events_once(intake, redis_client):
    for _ in range(2):
        ended = run("examples/mail_webhook.py", "--sample", **intake)
        assert ended.stdout == "sent 5 of 6 events\n", ended.stderr

    types = [name for name, _ in kept(redis_client)]
    mails = ["EmailSent", "EmailOpened", "EmailClicked", "EmailBounced", "EmailUnsubscribed"]
    assert types == mails


def test_mail_sender_is_told_to_come_again_when_a_token_is_wrong(intake):
    ended = run("examples/mail_webhook.py", "--sample", **intake | {"EVENTS_TOKEN": "ex.no"})

    assert ended.returncode == 1
    assert "401" in ended.stderr


def test_webhook_over_http_is_passed_on(intake, redis_client, tmp_path):
    port = serving.free_port()
    hook, log = f"http://127.0.0.1:{port}/", tmp_path / "log"
    payload = [{"id": "a", "event": "open", "timestamp": 1, "email": "a@b.c", "campaign": "x"}]
    with serving.started(["examples/mail_webhook.py"], hook, log, PORT=str(port), **intake):
        taken = requests.post(hook, json=payload, timeout=10)
        refused = requests.post(hook, json=[{"event": "open"}], timeout=10)

    assert (taken.status_code, taken.text) == (200, "took 1 events")
    assert refused.status_code == 400
    assert [name for name, _ in kept(redis_client)] == ["EmailOpened"]


def test_visits_are_sent_in_one_batch(intake, redis_client):
    ended = run("examples/tracker.py", "ana@example.com", "/", "/prices", "/landing/x", **intake)

    assert ended.stdout == "sent 3 visits\n", ended.stderr
    types = [name for name, _ in kept(redis_client)]
    assert types == ["PageVisited", "PageVisited", "LandingPageVisited"]
    assert redis_client.llen("dramatiq:score") == 1
