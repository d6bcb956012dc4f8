from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
import redis
import structlog
from cryptography.fernet import Fernet
from redis.client import Pipeline
from standardwebhooks.webhooks import Webhook

from console.sources import SourceError, Sources


@pytest.fixture
def sources(redis_client):
    return Sources(redis_client, (Fernet.generate_key().decode(),), recheck_s=0)


def test_token_names_its_source_and_is_not_kept(sources, redis_client):
    token = sources.add("site")

    assert sources.by_token(token) == "site"
    assert sources.by_token(token + "x") is None
    assert token not in str(redis_client.hgetall("sources"))
    assert list(sources.all()) == ["site"]


@pytest.mark.parametrize("name", ["", "Site", "a/b", "a.b", "-a", "a" * 41, "a\n", "ä"])
def test_name_must_be_of_its_form(sources, name):
    with pytest.raises(SourceError, match="lower-case"):
        sources.add(name)


def test_source_is_not_replaced_by_another_of_its_name(sources):
    token = sources.add("site")

    with pytest.raises(SourceError, match="revoke"):
        sources.add("site")
    assert sources.by_token(token) == "site"


def test_revoked_source_is_unknown_to_others_after_a_while_only(sources, redis_client):
    patient = Sources(redis_client, recheck_s=60)
    token = sources.add("site")
    assert patient.by_token(token) == "site"

    assert sources.revoke("site")

    assert not sources.revoke("site")
    assert sources.by_token(token) is None
    assert patient.by_token(token) == "site"


def test_new_token_of_a_name_ends_the_old_one(sources):
    old = sources.add("site")
    sources.revoke("site")
    new = sources.add("site")

    assert sources.by_token(old) is None
    assert sources.by_token(new) == "site"


def test_many_tokens_do_not_fill_the_memory(sources, redis_client, monkeypatch):
    monkeypatch.setattr("console.sources._REMEMBERED", 2)
    patient = Sources(redis_client, recheck_s=60)
    tokens = [sources.add(f"s{n}") for n in range(5)]

    assert [patient.by_token(token) for token in tokens] == [f"s{n}" for n in range(5)]
    assert len(patient._welcome) <= 2


def test_signing_needs_a_source_a_key_and_a_real_secret(sources, redis_client):
    with pytest.raises(SourceError, match="no source"):
        sources.let_sign("site")
    sources.add("site")
    for weak in ("whsec_", "hunter2", "whsec_" + "!" * 40):
        with pytest.raises(SourceError, match="base64"):
            sources.let_sign("site", weak)
    with pytest.raises(SourceError, match="SUGARLOOP_KEY"):
        Sources(redis_client).let_sign("site")


def test_given_secret_is_the_one_that_counts(sources):
    sources.add("site")
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    assert sources.let_sign("site", secret) == secret


def test_secret_sealed_with_a_lost_key_is_named_and_stops_no_other_source(sources, redis_client):
    other_key = Fernet.generate_key().decode()
    sources.add("lost")
    sources.let_sign("lost")
    later = Sources(redis_client, (other_key,))
    later.add("site")
    webhook = Webhook(later.let_sign("site"))
    signed_at = datetime.now(UTC)
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": str(int(signed_at.timestamp())),
        "webhook-signature": webhook.sign("1", signed_at, "{}"),
    }

    with structlog.testing.capture_logs() as logs:
        assert later.by_signature(b"{}", headers) == "site"

    assert [(line["source"], line["problem"]) for line in logs] == [
        ("lost", "no key in SUGARLOOP_KEY opens the secret of 'lost'")
    ]


def test_a_source_changes_its_token_without_a_gap(sources):
    old = sources.add("shop")
    new, _ = sources.rotate("shop")

    assert sources.by_token(old) == sources.by_token(new) == "shop"
    with pytest.raises(SourceError, match="drop the old one first"):
        sources.rotate("shop")
    assert sources.drop_old("shop")
    assert (sources.by_token(old), sources.by_token(new)) == (None, "shop")
    assert not sources.drop_old("shop")


def test_a_source_changes_its_signing_secret_without_a_gap(sources):
    sources.add("shop")
    old = sources.let_sign("shop")
    _, new = sources.rotate("shop")

    assert [sources.by_signature(b"{}", signed(s)) for s in (old, new)] == ["shop", "shop"]
    sources.drop_old("shop")
    assert [sources.by_signature(b"{}", signed(s)) for s in (old, new)] == [None, "shop"]


CHANGES = [
    pytest.param(lambda sources: sources.let_sign("shop"), id="let_sign"),
    pytest.param(lambda sources: sources.rotate("shop"), id="rotate"),
    pytest.param(lambda sources: sources.drop_old("shop"), id="drop_old"),
    pytest.param(lambda sources: sources.reseal(lambda sealed: sealed), id="reseal"),
]


@pytest.fixture
def meanwhile(monkeypatch):
    """Lets something be done between the reading of a source and the writing of it."""
    replace = msgspec.structs.replace

    def once(step):
        def interrupted(source, **changes):
            monkeypatch.setattr("msgspec.structs.replace", replace)
            step()
            return replace(source, **changes)

        monkeypatch.setattr("msgspec.structs.replace", interrupted)

    return once


@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_is_revoked_during_a_change_does_not_come_back(sources, meanwhile, change):
    sources.add("shop")
    sources.let_sign("shop")
    meanwhile(lambda: sources.revoke("shop"))

    with suppress(SourceError):
        change(sources)

    assert sources.all() == {}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_undoes_no_other_one(sources, meanwhile, change):
    sources.add("shop")
    sources.let_sign("shop")
    others = []
    meanwhile(lambda: others.append(sources.rotate("shop")))

    with suppress(SourceError):
        change(sources)

    ((token, _),) = others
    assert sources.by_token(token) == "shop"


def test_a_new_token_is_told_though_the_connection_broke_after_it_was_kept(sources, monkeypatch):
    old, carry_out = sources.add("shop"), Pipeline._execute_transaction

    def broken(pipe, *given):
        monkeypatch.setattr(Pipeline, "_execute_transaction", carry_out)
        carry_out(pipe, *given)
        pipe.watching = True  # as it is while the answer is on its way
        raise redis.ConnectionError("the answer got lost")

    monkeypatch.setattr(Pipeline, "_execute_transaction", broken)
    new, _ = sources.rotate("shop")

    assert sources.by_token(new) == sources.by_token(old) == "shop"


def signed(secret):
    """The headers of a request whose body is "{}", signed now."""
    at = datetime.now(UTC)
    signature = Webhook(secret).sign("1", at, "{}")
    return {
        "webhook-id": "1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }
