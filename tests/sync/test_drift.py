"""What counts as drift."""

from datetime import UTC, datetime

import pytest

from sync.catalogue import FieldDef
from sync.drift import UNDELETED, UNSEEN, drift_of, night_of
from sync.records import GONE_HERE, GONE_THERE, Agreement, Record
from sync.schedule import next_slots

CATALOGUE = {"phone": FieldDef(name="phone", label="Phone", type="varchar", length=5)}


OUT = {"email_opt_out": "1"}


def record(ours="1", theirs="1", out="0", **more):
    base = {"phone": Agreement(ours, theirs), "email_opt_out": Agreement(out, out)}
    values = {"phone": ours, "email_opt_out": out}
    return Record(id="r", crm_id="c", values=values, base=base, **more)


BOUNCES = {"email1": "New@X", "invalid_email": "1"}


def moved():
    """Somebody whose address was corrected here."""
    base = {"invalid_email": Agreement("0", "1")}
    return Record(id="r", values={"email1": "new@x", "invalid_email": "0"}, base=base)


@pytest.mark.parametrize(
    ("known", "values", "drift"),
    [
        pytest.param(record(), {"phone": "1"}, (), id="as_agreed"),
        pytest.param(record(), {"phone": "2"}, ("another phone",), id="another_value"),
        pytest.param(record("long one", "long"), {"phone": "long"}, (), id="as_read_back"),
        pytest.param(record("2", "1"), {"phone": "1"}, (), id="an_edit_here_waits"),
        pytest.param(record(asked={"phone": "2"}), {"phone": "2"}, (), id="a_person_is_asked"),
        pytest.param(record(), OUT, ("another email_opt_out",), id="an_opt_out_by_link"),
        pytest.param(record(out="1"), OUT, (), id="opted_out_here_too"),
        pytest.param(record(granted=("email_opt_out",)), OUT, (), id="lifted_here_and_soon_there"),
        pytest.param(record(out="1"), {"email_opt_out": "0"}, (), id="an_opt_in_clears_nothing"),
        pytest.param(moved(), BOUNCES | {"email1": "old@x"}, (), id="said_of_another_address"),
        pytest.param(moved(), BOUNCES, ("another invalid_email",), id="said_of_this_address"),
        pytest.param(record(), {}, (), id="not_read"),
        pytest.param(None, {"phone": "1"}, (UNSEEN,), id="nobody_knows_it"),
        pytest.param(record(gone=GONE_THERE), {"phone": "1"}, (UNDELETED,), id="there_again"),
        pytest.param(record(gone=GONE_HERE), {"phone": "2"}, (), id="removed_here"),
    ],
)
def test_only_what_neither_side_tells_of_is_drift(known, values, drift):
    pulled = ["phone", "email_opt_out", "invalid_email"]
    assert drift_of(known, values, pulled, CATALOGUE) == drift


def test_each_list_has_a_minute_of_the_night():
    slots = {
        next_slots(night_of(f"list-{n}", "Europe/Paris"), datetime(2026, 1, 1, tzinfo=UTC), 1)[0]
        for n in range(50)
    }

    assert {slot.hour for slot in slots} == {2}  # 3 o'clock in Paris
    assert len(slots) > 20
