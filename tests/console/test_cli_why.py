"""`why` tells what became of a person, also of one who is no member any more."""

import pytest

from store.records import Change, Records
from sync.history import Moved
from sync.records import GONE_HERE, GONE_THERE, Record

GOES_ON = Moved("ana", ("followed",), reason="goes on as c2", crm_id="c2")


@pytest.fixture
def known(active, leads, redis_client):
    """Puts one person into the list as they are after something befell them."""
    columns = tuple(active("lists", "columns", leads, "--json").json["columns"])
    records = Records(redis_client, leads, columns)

    def put(moved, **more):
        values = {"email1": "ana@example.com"}
        person = Record(id=moved.record, crm_id=f"c-{moved.record}", values=values, **more)
        records.commit([Change(before=None, after=person, moved=moved)], by="run r1")

    return put


@pytest.mark.parametrize(
    ("moved", "more", "said"),
    [
        pytest.param(
            Moved("ana", ("deleted",), reason=GONE_THERE),
            {"gone": GONE_THERE},
            "It was deleted in SugarCRM: they leave the list.",
            id="deleted",
        ),
        pytest.param(
            GOES_ON,
            {"gone": GONE_THERE, "became": "c2"},
            "It was deleted in SugarCRM, and goes on as c2.",
            id="merged",
        ),
        pytest.param(
            Moved("ana", ("removed",)),
            {"gone": GONE_HERE},
            "It was removed from the list; syncs do not bring it back.",
            id="removed",
        ),
        pytest.param(
            GOES_ON,
            {"contact": "c2", "became": "c2"},
            "The lead was converted; its changes go to the contact c2.",
            id="converted",
        ),
    ],
)
def test_why_tells_what_became_of_a_person(known, active, leads, moved, more, said):
    known(moved, **more)

    shown = active("why", leads, "ana@example.com")
    (fate,) = active("why", leads, "ana", "--json").json["fates"]

    assert said in " ".join(shown.out.split()), shown.err
    assert (fate["by"], fate["reason"]) == ("run r1", moved.reason)


def test_why_prefers_the_member_to_those_who_are_gone_with_the_same_address(known, active, leads):
    known(Moved("ana", ("deleted",)), gone=GONE_THERE)
    known(Moved("eve", ("matched",)))

    shown = active("why", leads, "ana@example.com", "--json").json

    assert (shown["record"], shown["gone"]) == ("eve", None)
