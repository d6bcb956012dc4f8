import pytest

from workers.redaction import Redaction, last_words

REDACTION = Redaction(b"salt")


@pytest.mark.parametrize(
    "text",
    [
        "login failed: password=canary",
        "{'password': 'canary', 'user': 'x'}",
        '{"user_auth": {"password":"canary"}}',
        "Authorization: Bearer canary",
        "access_token=canary&x=1",
        'session="canary"',
        "OAuth-Token: canary",
        "SUGARLOOP_KEY is key=canary",
        "redis://:canary@cache.example.com:6379/0",
        "https://admin:canary@crm.example.com/rest",
        "the blob gAAAAABcanarycanarycanarycanarycanary==",
        "wrote to canary@example.com",
        "wrote to <O'Canary+canary@mail.example.co.uk>",
        'wrote to "canary b"@example.com',
        "wrote to canary@localhost",
        "wrote to canary(x)@example.com",
        "GET /?who=canary%40example.com&x=1",
    ],
)
def test_no_secret_and_no_address_is_left(text):
    assert "canary" not in REDACTION.text(text).lower()


@pytest.mark.parametrize(
    "text",
    [
        "run 7 of list a: 3 created, key field status",
        "event_key=journal-1",
        "KeyError: 'title'",
        "the monkey: it is here",
        'in "two words" @ 5 events/s',
    ],
)
def test_plain_words_stay(text):
    assert REDACTION.text(text) == text


def test_an_address_has_the_same_hash_every_time_and_another_under_another_salt():
    one = REDACTION.text("Ana@example.com")

    assert one == REDACTION.text("ana@example.com")
    assert one.startswith("email#")
    assert one != Redaction(b"other").text("ana@example.com")


def test_named_values_are_hidden_at_any_depth():
    fields = {"url": "x", "data": [{"session": "canary"}, {"to": ("canary@example.com",)}], "n": 1}

    hidden = REDACTION.fields(fields)

    assert "canary" not in str(hidden)
    assert hidden["n"] == 1
    assert hidden["url"] == "x"


def test_the_last_words_of_an_error_are_one_short_line_without_secrets():
    error = ValueError("password=canary\nfor canary@example.com " + "x" * 900)

    said = last_words(error, REDACTION)

    assert said.startswith("ValueError: password=*** for email#")
    assert "\n" not in said
    assert len(said) == 500
