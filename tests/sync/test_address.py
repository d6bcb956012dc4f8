"""An address is found where it stands as a whole, and nowhere else."""

import pytest

from sync.address import Naming, is_address_of

ANA = "ana@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "ana@example.com",
        "please write to ana@example.com.",
        "'ana@example.com'",
        "<ana@example.com>",
        "mailto:ana@example.com?subject=x",
        "https://example.com/leave/ana@example.com/now",
        "/?who=ana%40example.com&x=1",
        "/?n=1&ana@example.com",
        "/?to=mail%3aana%40example.com%26x",
        "bob@example.com,ana@example.com",
    ],
)
def test_an_address_is_found_wherever_it_stands(text):
    assert Naming(ANA).is_in(text)


OTHERS = [
    "susana@example.com",
    "x.ana@example.com",
    "x-ana@example.com",
    "x+ana@example.com",
    "d'ana@example.com",
    "x#ana@example.com",
    "ana@example.com.br",
    "ana@example.com-old",
    "ana@example.como",
    "ana@mail.example.com",
]


@pytest.mark.parametrize("text", OTHERS)
def test_an_address_is_not_found_in_somebody_elses(text):
    assert not Naming(ANA).is_in(text)
    assert not is_address_of(text, ANA)


@pytest.mark.parametrize(
    "text",
    [
        " Ana@Example.com\n",
        "bob@example.com; ana@example.com",
        "mailto:ana@example.com",
        f"<{ANA}>",
    ],
)
def test_what_holds_nothing_but_addresses_is_of_the_person(text):
    assert is_address_of(text, " ANA@example.com")


@pytest.mark.parametrize("text", ["", " ", "write to ana@example.com", "bob@example.com", "Ana"])
def test_a_text_about_a_person_is_not_an_address_of_theirs(text):
    assert not is_address_of(text, ANA)
