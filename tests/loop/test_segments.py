"""A list that is made of the people of another one, while things happen to them."""

from datetime import UTC, datetime

import pytest

from console import forgetting, members
from console.filters import parse
from store.records import Records
from sync.lists import MarketingList
from sync.records import Record
from tests.loop.killing import killed_before

SOURCE, MADE = "source", "made"
COLUMNS = ("email1", "last_name", "email_opt_out")
ANA, BOB = "ana@example.com", "bob@example.com"


@pytest.fixture
def source(loop):
    """A list of Ana and Bob."""
    loop.app.lists.create(MarketingList(id=SOURCE, title="Source", columns=COLUMNS))
    for address in (ANA, BOB):
        loop.add(SOURCE, address, email1=address, last_name="Name", email_opt_out="0")
    return loop.app.lists.get(SOURCE)


def made(loop, source, *where):
    """Make the segment; give who is in it, with their opt-outs, and the count that was told."""
    conditions = parse(where, COLUMNS)
    of, count = members.segment(loop.app, source, conditions, MADE, datetime.now(UTC))
    people = loop.members(of.id).values()
    return {r.values["email1"]: r.values["email_opt_out"] for r in people}, count


def opt_out(loop):
    loop.edit(SOURCE, Record(id=ANA), email_opt_out="1")


def once_gone_through(monkeypatch, then):
    """Do `then` when the source was gone through."""
    gone_through = members.members

    def wrapped(*arguments):
        found = gone_through(*arguments)
        then()
        return found

    monkeypatch.setattr(members, "members", wrapped)


def once_read(monkeypatch, then):
    """Do `then` when people were read, right before their copies are committed."""
    commit = Records.commit

    def wrapped(self, *arguments, **options):
        monkeypatch.setattr(Records, "commit", commit)
        then()
        return commit(self, *arguments, **options)

    monkeypatch.setattr(Records, "commit", wrapped)


MOMENTS = pytest.mark.parametrize("moment", [once_gone_through, once_read])


@MOMENTS
def test_who_is_forgotten_while_a_segment_is_made_is_not_in_it(loop, source, monkeypatch, moment):
    moment(monkeypatch, lambda: forgetting.forget(loop.app, ANA))

    assert made(loop, source) == ({BOB: "0"}, 1)


@MOMENTS
def test_an_opt_out_while_a_segment_is_made_is_in_it(loop, source, monkeypatch, moment):
    moment(monkeypatch, lambda: opt_out(loop))

    assert made(loop, source) == ({ANA: "1", BOB: "0"}, 2)


def test_who_fulfils_the_conditions_no_more_once_it_comes_to_them_is_left_out(
    loop, source, monkeypatch
):
    once_gone_through(monkeypatch, lambda: opt_out(loop))

    assert made(loop, source, "email_opt_out=0") == ({BOB: "0"}, 1)


def test_who_is_not_erased_yet_by_a_command_that_was_killed_is_in_no_segment(loop, source):
    with killed_before(forgetting, "_erase"):
        forgetting.forget(loop.app, ANA)

    assert made(loop, source) == ({BOB: "0"}, 1)
