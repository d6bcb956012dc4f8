"""What the servers' published code says, for the products that differ, in every API version.

As in `test_matrix`: a row is one fact, how it is looked at, and what every server answers.
"""

import json

import pytest

from tests.emulated import emulator
from tests.emulator.test_matrix import APIS, OFFERED, Server, always, checked, queries_alone

PROFILES = ("sugarcrm-ce-6.0", "sugarcrm-ce-6.1", "sugarcrm-ce-6.5", "suitecrm-7.14")
EMAILS = "email_addr_bean_rel"
OF_LEADS = f"{EMAILS}.bean_id FROM {EMAILS}"


def checks_query(condition):
    return queries_alone("leads.last_name LIKE '{mark}%' AND " + condition)


def failed(s):
    return s.failed


def early(s):
    return s.ce is not None and s.ce < (6, 3)


def fatal(s, otherwise):
    return 500 if s.suite else otherwise


def orders_badly(order):
    def ask(s):
        answer = s.letters(s.listed(order))
        return answer if isinstance(answer, int) else answer[: len(told(s))]

    return ask


def told(s):
    """Give what a query tells that fails after its records were counted."""
    return s.failed if s.suite or s.since(6, 1) else "200 Error retrieving Lead list:  Query Failed"


def number(answer):
    """Give what tells answers apart: the status of a failure, the number of an error."""
    if answer.status_code != 200:
        return answer.status_code
    found = answer.json()
    return found.get("number") if isinstance(found, dict) else found


def text_list_as_module(s):
    return [
        number(s.post("get_entry_list", name, "", "", 0, [], [], 1, 0)) for name in ("", ["Leads"])
    ]


def odd_offsets(s):
    query = f"leads.last_name LIKE '{s.mark}%'"

    def page(offset):
        answer = s.post("get_entry_list", "Leads", query, "", offset, ["id"], [], 2, 0)
        return answer.json()["result_count"] if answer.status_code == 200 else answer.status_code

    return [page("abc"), page([1])]


def later_page(s):
    query = f"leads.last_name LIKE '{s.mark}%'"
    arguments = ["Leads", query, "", 1, ["last_name"], [], 2, 0]
    return s.letters(s.post("get_entry_list", *arguments))


def logs_in_without_a_user(s):
    return [number(s.ask.post("login", [user, "x", []])) for user in (None, [])]


def asks_with_session(value):
    def ask(s):
        answer = s.ask.post("get_entry", [value, "Leads", s.ids["A"], ["id"], []])
        return number(answer)

    return ask


def writes_numbers(s):
    largest, power = (s.saved("Leads", last_name="x", budget_c=v) for v in ("1e20", "1.5e2"))
    return s.values("Leads", largest, "budget_c") + s.values("Leads", power, "budget_c")


def links(s):
    """Link two contacts to an account in all the ways a caller may write it."""
    account = s.saved("Accounts", name="Linked")
    people = [s.saved("Contacts", last_name=f"Linked {n}") for n in "12"]

    def set_link(ids, delete=0):
        made = s.call("set_relationship", "Accounts", account, "contacts", ids, [], delete)
        arguments = ["Accounts", account, "contacts", "", ["id"], [], 0]
        if s.newest("v4_1"):
            arguments += ["", 0, 0]
        left = s.call("get_relationships", *arguments)["entry_list"]
        return [made["created"], made["failed"], made["deleted"], len(left)]

    return [
        set_link(people),
        set_link(people[0], 1),
        set_link(people[:1], "yes"),
        set_link([""], 1),
        set_link(["nosuch", people[0]]),
    ]


def expected_links(s):
    # an id that is not there stops the rest
    after = 1 if early(s) else 0
    return [[1, 0, 0, 2], [0, 0, 1, 2], [0, 0, 1, 1], [0, 0, 1, 0], [1, 0, 0, after]]


def links_nothing(s):
    return s.call("set_relationships", [], [], [], [], [], [])["number"]


def belongs_to_lists(s):
    """Put a lead and a contact on a list from either side, and a case to an account."""
    target = s.saved("ProspectLists", name="Target")
    lead, contact = s.saved("Leads", last_name="x"), s.saved("Contacts", last_name="x")
    account, case = s.saved("Accounts", name="Owner"), s.saved("Cases", name="Broken")
    pairs = (
        ("ProspectLists", target, "leads", lead),
        ("Contacts", contact, "prospect_lists", target),
        ("Accounts", account, "cases", case),
    )
    made = [s.call("set_relationship", m, one, k, [other], [], 0) for m, one, k, other in pairs]
    return [one["created"] for one in made] + s.values("Cases", case, "account_name")


def shows_a_contact(s):
    values = {"salutation": "Mr.", "first_name": "Rui", "last_name": "Reis", "phone_work": "12"}
    contact = s.saved("Contacts", email1="rui@example.com", **values)
    note = s.saved("Notes", name="Opened", contact_id=contact)
    return s.values("Notes", note, "contact_name")


def allows_markup(s):
    lead = s.saved("Leads", last_name="x", description='<iframe src="https://example.com">')
    return "iframe" in s.values("Leads", lead, "description")[0]


def digests(s):
    return "Leads" in s.call("get_module_fields_md5", ["Leads"])


def searches_for_nothing(s):
    return s.call("search_by_module", "", ["Leads"], 0, 5)["entry_list"]


def chooses_by_text(s):
    answer = s.post("get_module_fields", "Leads", "id")
    return len(answer.json()["module_fields"]) if answer.status_code == 200 else 500


FACTS = {
    "a query with a subquery": (
        checks_query(f"leads.id IN (SELECT {OF_LEADS} WHERE {EMAILS}.bean_module = 'Leads')"),
        always("CAEBD"),
    ),
    "a subquery without a condition": (
        checks_query(f"leads.id IN (SELECT {OF_LEADS})"),
        checked(always("CAEBD")),
    ),
    "a query with a difference": (checks_query("leads.deleted-0 = 0"), checked(always("CAEBD"))),
    "a query that ends with a semicolon": (checks_query("1 = 1;"), failed),
    "a query for nothing in a list": (checks_query("leads.id IN ()"), failed),
    "an order by a field that no table has": (orders_badly("email1"), told),
    "an order with a limit": (
        orders_badly("last_name limit 2"),
        checked(told),
    ),
    "an order by a name": (lambda s: s.letters(s.listed("name desc")), always("EDCBA")),
    "no module, and a list as the module": (
        text_list_as_module,
        lambda s: [500, fatal(s, 20)],
    ),
    "offsets that are no numbers": (odd_offsets, lambda s: [fatal(s, 2), 500]),
    "the second page": (later_page, lambda s: "E" if early(s) else "AE"),
    "a login without a user": (logs_in_without_a_user, always([10, 10])),
    "session 0": (asks_with_session("0"), lambda s: None if s.newest("v4") else 11),
    "a list as the session": (asks_with_session(["x"]), lambda s: fatal(s, 11)),
    "decimals that are too large, and powers": (
        writes_numbers,
        always(["9999999999999999.99", "150.00"]),
    ),
    "links by text, by nothing, to what is gone": (links, expected_links),
    "target lists and cases": (
        belongs_to_lists,
        always([1, 1, 1, "Owner"]),
    ),
    "links without any": (links_nothing, always(1001)),
    "the contact of a note": (shows_a_contact, always(["Mr. Rui Reis"])),
    "an iframe": (allows_markup, always(True)),
    "digests of fields": (digests, lambda s: s.newest("v3")),
    "a search for nothing": (searches_for_nothing, always([])),
    "one field named by text": (chooses_by_text, lambda s: fatal(s, 0)),
}


@pytest.fixture(scope="module")
def running(request, tmp_path_factory):
    with emulator(tmp_path_factory.mktemp("emulator"), "--profile", request.param) as one:
        yield request.param, one


@pytest.mark.parametrize(
    ("running", "api"),
    [(profile, api) for profile in PROFILES for api in OFFERED.get(profile, APIS)],
    indirect=["running"],
)
def test_the_facts_of_this_version(running, api):
    profile, one = running
    server = Server(one, profile, api)
    wrong = {}
    for fact, (look, expected) in FACTS.items():
        found = look(server)
        if found != expected(server):
            wrong[fact] = {"found": found, "read": expected(server)}

    assert not wrong, json.dumps(wrong, indent=1, default=str)
