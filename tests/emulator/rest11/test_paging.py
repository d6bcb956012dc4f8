"""Pages of a list."""

import pytest

from tests.emulated import emulator
from tests.emulator.rest11.asker import Asker, refusal
from tests.emulator.rest11.conftest import MODERN

BY_CHANGE = "date_modified:ASC,id:ASC"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """620 leads, some of them deleted, that nobody touches."""
    with emulator(tmp_path_factory.mktemp("many"), *MODERN, "--leads", "620") as one:
        yield Asker(one.url).log_in()


def walk(crm, **sent):
    """Give the pages of a list, following next_offset."""
    offset, pages = 0, []
    while offset != -1:
        page = crm.post("Leads/filter", {"fields": "id"} | sent | {"offset": offset})
        pages.append(page["records"])
        assert page["next_offset"] == -1 or page["next_offset"] > offset
        offset = page["next_offset"]
    return pages


def test_a_page_holds_20_records_unless_told_otherwise(many):
    page = many.get("Leads")

    assert len(page["records"]) == page["next_offset"] == 20


def test_no_page_is_larger_than_the_servers_own_limit(many):
    pages = walk(many, max_num=10_000)

    assert [len(page) for page in pages][:-1] == [500]
    assert sum(map(len, pages)) == many.get("Leads/count")["record_count"]


def test_following_next_offset_gives_each_record_once(many):
    pages = walk(many, max_num=90, order_by=BY_CHANGE)

    ids = [record["id"] for page in pages for record in page]
    assert len(ids) == len(set(ids)) == many.get("Leads/count")["record_count"]


def test_records_share_the_second_of_their_change(many):
    (page,) = walk(many, max_num=500, order_by=BY_CHANGE)[:1]

    stamps = [record["date_modified"] for record in page]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) < len(stamps) / 10


def test_the_last_page_that_is_full_is_the_last(many):
    number = many.get("Leads/count")["record_count"]

    page = many.post("Leads/filter", {"max_num": 50, "offset": number - 50})

    assert (len(page["records"]), page["next_offset"]) == (50, -1)


def test_lists_begin_with_the_last_change_unless_told_otherwise(many):
    stamps = [record["date_modified"] for record in many.get("Leads?max_num=50")["records"]]

    assert stamps == sorted(stamps, reverse=True)


def test_a_place_in_the_order_is_a_filter(many):
    first = many.post("Leads/filter", {"order_by": BY_CHANGE, "max_num": 40})["records"]
    place = first[19]
    after = {
        "$or": [
            {"date_modified": {"$gt": place["date_modified"]}},
            {
                "$and": [
                    {"date_modified": {"$equals": place["date_modified"]}},
                    {"id": {"$gt": place["id"]}},
                ]
            },
        ]
    }

    rest = many.post("Leads/filter", {"filter": [after], "order_by": BY_CHANGE, "max_num": 20})

    assert [r["id"] for r in rest["records"]] == [r["id"] for r in first[20:]]


def test_a_server_may_be_set_to_smaller_pages(tmp_path):
    with emulator(tmp_path, *MODERN, "--leads", "30", "--faults", "cap=7") as one:
        page = Asker(one.url).log_in().get("Leads?max_num=20")

    assert (len(page["records"]), page["next_offset"]) == (7, 7)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("order_by=no_such_field", id="an_order_by_no_field"),
        pytest.param("order_by=email", id="an_order_by_no_column"),
        pytest.param("max_num=many", id="a_size_that_is_no_number"),
        pytest.param("offset=far", id="an_offset_that_is_no_number"),
    ],
)
def test_a_list_is_refused_for(crm, query):
    assert refusal(crm.ask("GET", f"Leads?{query}")) == (422, "invalid_parameter")


@pytest.mark.parametrize("order", ["lead_score_c:DESC", "last_name:asc", "name"])
def test_a_list_is_ordered_by(crm, order):
    field, _, direction = order.partition(":")

    records = crm.get(f"Leads?order_by={order}&max_num=100&fields=lead_score_c,last_name")[
        "records"
    ]

    values = [r[field] for r in records if r.get(field) is not None and field != "name"]
    numbers = [v for v in values if isinstance(v, int)]
    assert numbers == sorted(numbers, reverse=direction == "DESC")
    assert len(records) == 100
