"""The behavioral score is the sum of what a person did."""

from hypothesis import given
from hypothesis import strategies as st

from sync.score import MOST_ASSETS, OTHERS, Behaviour, explain, fold, score

behaviours = st.lists(
    st.builds(
        Behaviour,
        st.just("ana@example.com"),
        st.sampled_from(["EmailOpened", "EmailClicked", "PageVisited", "Unheard"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["2026-01-01", "2026-01-02"]),
    )
)


@given(behaviours, behaviours)
def test_folding_in_parts_or_at_once_or_in_another_order_is_one(first, second):
    at_once = fold((), [*first, *second])

    assert fold(fold((), first), second) == at_once == fold(fold((), second), first)


@given(behaviours)
def test_the_lines_of_an_explanation_add_up_to_the_score(done):
    tallies = fold((), done)

    assert sum(line.points for line in explain(tallies)) == score(tallies)


def test_a_click_and_two_opens_make_seven():
    did = [Behaviour("p", "EmailOpened", "news", f"2026-01-0{day}") for day in (2, 1)]
    tallies = fold((), [*did, Behaviour("p", "EmailClicked", "news", "2026-01-03")])

    assert score(tallies) == 7
    assert [(line.kind, line.count, line.points) for line in explain(tallies)] == [
        ("EmailClicked", 1, 5),
        ("EmailOpened", 2, 2),
    ]
    assert tallies[1].first_at == "2026-01-01"


def test_a_crawler_makes_no_more_of_a_person_than_there_is_room_for_and_every_visit_counts():
    visits = [
        Behaviour("p", "PageVisited", f"/?token={n}", f"2026-01-01T00:00:{n % 60:02}")
        for n in range(5 * MOST_ASSETS)
    ]
    tallies = ()
    for start in range(0, len(visits), 70):
        tallies = fold(tallies, visits[start : start + 70])

    assert len(tallies) == MOST_ASSETS + 1
    assert score(tallies) == len(visits)
    assert OTHERS in {tally.asset for tally in tallies}
