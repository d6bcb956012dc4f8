import pytest

from console.filters import matches, parse
from sync.catalogue import FieldDef

BORN = {"born": FieldDef(name="born", label="Born", type="date")}


@pytest.mark.parametrize(
    ("where", "found"), [("born<=1990", True), ("born>=1990", False), ("born>=1985-02-03", True)]
)
def test_a_year_is_the_beginning_of_a_date_and_no_number(where, found):
    assert matches({"born": "1985-02-03"}, parse([where], ["born"]), BORN) == found
