"""Batches: one bad record is found and told, the others are written once."""

import pytest

from sugarcrm.batches import FAILED, NOT_SAVED, batch_size, write_in_batches
from sugarcrm.crm import Draft, Written
from sugarcrm.errors import AmbiguousError, BusyError, RefusedError
from sugarcrm.lost import ServerFailedError, TooManyError, TurnedAwayError


class Server:
    """Saves in order, stops dead at a bad record, and passes over those without rights.

    A firewall before it turns away calls that hold a record of `turned_away`, and reads when it is
    `closed`; where it `lets_in` such a call, only the answer is turned away.
    """

    def __init__(self, bad=(), denied=(), turned_away=(), closed=False, lets_in=False):
        self.bad, self.denied = set(bad), set(denied)
        self.turned_away, self.closed, self.lets_in = set(turned_away), closed, lets_in
        self.saved, self.calls = [], []

    def send(self, batch):
        self.calls.append([draft.id for draft in batch])
        kept = set()
        if not self.turned_away.isdisjoint(draft.id for draft in batch):
            self.saved += [draft.id for draft in batch if self.lets_in]
            raise TurnedAwayError("403")
        for draft in batch:
            if draft.id in self.bad:
                raise ServerFailedError("500")
            if draft.id not in self.denied:
                self.saved.append(draft.id)
                kept.add(draft.id)
        return dict.fromkeys(kept)

    def applied(self, batch):
        if self.closed:
            raise TurnedAwayError("403")
        return {draft.id for draft in batch} & set(self.saved)

    def write(self, ids, size=10):
        drafts = [Draft(one, {"last_name": one}) for one in ids]
        return write_in_batches(drafts, size=size, send=self.send, applied=self.applied)


def test_batches_are_written_in_order():
    server = Server()
    assert server.write("abcde", size=2) == [Written(one) for one in "abcde"]
    assert server.calls == [["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize("bad", ["a", "c", "e", "ae", "bcd", "abcde"])
def test_bad_records_are_told_and_the_others_written_once(bad):
    server = Server(bad=bad)
    told = server.write("abcde")
    assert told == [
        Written(one, FAILED, failed=True) if one in bad else Written(one) for one in "abcde"
    ]
    assert server.saved == [one for one in "abcde" if one not in bad]


def test_one_bad_record_costs_few_calls():
    server = Server(bad=["r25"])
    server.write([f"r{n}" for n in range(50)], size=50)
    assert [len(call) for call in server.calls] == [50, 1, 24]


def test_only_the_record_that_a_firewall_turns_away_is_refused():
    server = Server(turned_away="c")
    told = server.write("abcd")
    assert [one.id for one in told if one.refused] == ["c"]
    assert told[2].failed  # it may pass another time
    assert server.saved == ["a", "b", "d"]


def test_a_write_that_landed_although_its_answer_was_turned_away_is_no_refusal():
    server = Server(turned_away="c", lets_in=True)
    assert server.write("abcd") == [Written(one) for one in "abcd"]


def test_nobody_is_refused_while_nothing_gets_through():
    server = Server(turned_away="abcd", closed=True)
    with pytest.raises(TurnedAwayError):
        server.write("abcd")


def test_records_that_the_server_passed_over_are_told():
    server = Server(denied="bd")
    told = server.write("abcd")
    assert told == [Written(one, NOT_SAVED if one in "bd" else None) for one in "abcd"]


def test_a_failure_after_the_last_record_was_saved():
    server = Server()

    def send(batch):
        server.send(batch)
        raise ServerFailedError("500")

    drafts = [Draft(one, {}) for one in "ab"]
    told = write_in_batches(drafts, size=9, send=send, applied=server.applied)
    assert told == [Written("a"), Written("b")]


def test_a_refusal_concerns_the_whole_batch():
    def send(_batch):
        raise RefusedError("set_entries: SugarCRM error 40")

    drafts = [Draft(one, {}) for one in "ab"]
    told = write_in_batches(drafts, size=9, send=send, applied=lambda _: set())
    assert [written.refused for written in told] == ["set_entries: SugarCRM error 40"] * 2


def test_a_failure_that_cannot_be_looked_into_is_ambiguous():
    def applied(_batch):
        raise BusyError("could not connect")

    server = Server(bad="a")
    drafts = [Draft(one, {}) for one in "ab"]
    with pytest.raises(AmbiguousError, match="could not be read") as ambiguous:
        write_in_batches(drafts, size=9, send=server.send, applied=applied)
    assert not isinstance(ambiguous.value, ServerFailedError)


def test_a_lost_answer_stops_everything():
    def send(_batch):
        raise AmbiguousError("late")

    with pytest.raises(AmbiguousError):
        write_in_batches([Draft("a", {})], size=9, send=send, applied=lambda _: set())


def test_nothing_to_write():
    assert Server().write("") == []


@pytest.mark.parametrize(("deadline_s", "size"), [(30, 100), (5, 50), (1, 10), (0.01, 1)])
def test_a_batch_ends_within_the_deadline(deadline_s, size):
    assert batch_size(deadline_s) == size


def test_a_batch_that_is_too_large_is_halved_until_it_passes():
    server = Server()

    def send(batch):
        if len(batch) > 2:
            raise TooManyError("413")
        return server.send(batch)

    drafts = [Draft(one, {"last_name": one}) for one in "abcde"]
    told = write_in_batches(drafts, size=9, send=send, applied=server.applied)
    assert told == [Written(one) for one in "abcde"]
    assert server.calls == [["a", "b"], ["c"], ["d", "e"]]


def test_what_is_told_of_a_record_is_not_read():
    def send(_batch):
        return {"a": None, "b": "no right"}

    drafts = [Draft(one, {}) for one in "ab"]
    told = write_in_batches(drafts, size=9, send=send, applied=lambda _: 1 / 0)
    assert told == [Written("a"), Written("b", "no right")]


def test_records_left_out_that_may_not_be_read_were_not_saved():
    def refused(_batch):
        raise RefusedError("no right to list")

    told = write_in_batches([Draft("a", {})], size=9, send=lambda _: {}, applied=refused)
    assert told == [Written("a", NOT_SAVED)]
