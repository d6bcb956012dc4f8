"""What the real server does and no recording shows: taken from what was measured and read."""

import pytest

from tests.emulated import emulator
from tests.emulator.service import Asker


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with emulator(tmp_path_factory.mktemp("emulator")) as one:
        yield one


@pytest.fixture
def ask(running):
    return Asker(running.url)


@pytest.fixture
def session(ask):
    return ask.log_in()


def pairs(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def create(ask, session, module, **values):
    return ask.call("set_entry", session, module, pairs(**values))["id"]


def read(ask, session, module, record_id, *fields):
    entry = ask.call("get_entry", session, module, record_id, list(fields), [])["entry_list"][0]
    return {name: pair["value"] for name, pair in entry["name_value_list"].items()}


def test_the_address_editor_replaces_addresses_for_an_ordinary_user(ask, session):
    lead = create(ask, session, "Leads", last_name="Silva", email1="old@example.com")
    field = "Leads0emailAddress0"
    widget = {
        "useEmailWidget": "true",
        "Leads_email_widget_id": "0",
        field: "new@example.com",
        "Leads0emailAddressPrimaryFlag": field,
        "Leads0emailAddressOptOutFlag[]": field,
    }
    user = ask.log_in("apiuser", "Api!pass1")
    ask.post("set_entry", [user, "Leads", pairs(id=lead)], **widget)

    shown = read(ask, session, "Leads", lead, "email1", "email2", "email_opt_out")
    assert shown == {"email1": "new@example.com", "email2": "", "email_opt_out": "1"}


def test_a_duplicate_contact_in_a_batch_loses_the_address_of_the_first(ask, session):
    batch = [pairs(last_name="Twin", email1="twin@example.com", lead_score_c=5)] * 2

    ids = ask.call("set_entries", session, "Contacts", batch)["ids"]

    assert ids[0] == ids[1]
    fields = ("last_name", "email1", "lead_score_c")
    shown = read(ask, session, "Contacts", ids[0], *fields)
    assert shown == {"last_name": "Twin", "email1": "", "lead_score_c": ""}


def test_leads_are_never_taken_for_duplicates(ask, session):
    batch = [pairs(last_name="Twin", email1="twin2@example.com")] * 2

    ids = ask.call("set_entries", session, "Leads", batch)["ids"]

    assert ids[0] != ids[1]


def test_a_batch_names_the_account_of_a_contact(ask, session):
    batch = [pairs(last_name="Ito", account_name="Acme & Sons")]
    (contact,) = ask.call("set_entries", session, "Contacts", batch)["ids"]

    shown = read(ask, session, "Contacts", contact, "account_name", "account_id")

    assert shown["account_name"] == "Acme & Sons"
    assert read(ask, session, "Accounts", shown["account_id"], "name") == {"name": "Acme & Sons"}


def test_an_or_in_a_count_reaches_deleted_records(ask, session):
    lead = create(ask, session, "Leads", last_name="Gone-count")
    ask.call("set_entry", session, "Leads", pairs(id=lead, deleted=1))

    plain = ask.call("get_entries_count", session, "Leads", "leads.last_name = 'Gone-count'", 0)
    query = "leads.last_name = 'Gone-count' or 1 = 0"
    with_or = ask.call("get_entries_count", session, "Leads", query, 0)

    assert (plain["result_count"], with_or["result_count"]) == ("0", "1")


def test_deleting_a_lead_detaches_its_notes(ask, session):
    lead = create(ask, session, "Leads", last_name="Parent")
    note = create(ask, session, "Notes", name="kept", parent_type="Leads", parent_id=lead)
    ask.call("set_entry", session, "Leads", pairs(id=lead, deleted=1))

    assert read(ask, session, "Notes", note, "name", "parent_id") == {
        "name": "kept",
        "parent_id": "",
    }


def test_a_batch_that_deletes_a_lead_leaves_its_address_linked(ask, session):
    lead = create(ask, session, "Leads", last_name="Linked-still", email1="still@example.com")
    ask.call("set_entries", session, "Leads", [pairs(id=lead, deleted=1)])

    (row,) = ask.names(session, query="leads.last_name = 'Linked-still'", fields=("email1",))
    assert row == {"email1": "still@example.com"}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        pytest.param("leads.last_name = 'CAFÉ'", True, id="case_and_accents_do_not_count"),
        pytest.param("leads.last_name = 'cafe  '", True, id="trailing_blanks_do_not_count"),
        pytest.param("leads.last_name like 'cafe '", False, id="but_in_like_they_do"),
        pytest.param("binary leads.last_name = 'CAFE'", False, id="binary_compares_signs"),
        pytest.param("concat(leads.last_name, '!') = 'CAFÉ!'", True, id="computed_text_too"),
        pytest.param("leads.birthdate = '1980-1-2'", True, id="dates_in_short_form"),
        pytest.param("leads.birthdate = '1980-01-02 00:00:00'", True, id="date_as_midnight"),
        pytest.param("leads.date_entered = '2010-01-01'", True, id="midnight_as_a_date"),
        pytest.param("leads.date_entered > '2010-01-01'", False, id="midnight_is_not_after_it"),
        pytest.param("leads.date_entered < now() - interval 1 day", True, id="intervals"),
        pytest.param("leads.deleted = '0' and not leads.converted", True, id="numbers_as_text"),
        pytest.param("length(leads.last_name) = 5", True, id="length_counts_bytes"),
    ],
)
def test_a_query_means_what_mysql_makes_of_it(ask, session, condition, found):
    values = {"last_name": "Café", "birthdate": "1980-01-02", "date_entered": "2010-01-01 00:00:00"}
    lead = create(ask, session, "Leads", **values)

    rows = ask.names(session, query=f"leads.id = '{lead}' and ({condition})", fields=("id",))

    assert bool(rows) is found


@pytest.mark.parametrize(
    ("written", "read_back"),
    [
        pytest.param("<p style='color: red'>x</p>", '<p style="color:#FF0000;">x</p>', id="style"),
        pytest.param("<a href='javascript:x'>z</a>", "<a>z</a>", id="script_address"),
        pytest.param("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>", id="open_items"),
        pytest.param("a<br>b", "a<br />b", id="empty_elements"),
        pytest.param("<svg onload=x>k</svg><!-- c -->", "k", id="unknown_elements"),
        pytest.param("x <- y & z", "x <- y & z", id="signs_that_are_no_markup"),
        pytest.param("AT&T &nosuch; &copy;", "AT&T &nosuch; ©", id="entities"),
    ],
)
def test_markup_is_purified(ask, session, written, read_back):
    note = create(ask, session, "Notes", name="n", description=written)

    shown = read(ask, session, "Notes", note, "description")["description"]

    signs = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#039;": "'"}
    for entity, sign in signs.items():
        shown = shown.replace(entity, sign)
    assert shown == read_back


def test_search_by_module_finds_names_and_addresses(ask, session):
    create(ask, session, "Leads", last_name="Searched", email1="findme@example.com")

    by_name = ask.call("search_by_module", session, "Searc", ["Leads"], 0, 5)
    by_address = ask.call("search_by_module", session, "findme@", ["Leads"], 0, 5)

    for answer in (by_name, by_address):
        (record,) = answer["entry_list"][0]["records"]
        assert record["last_name"]["value"] == "Searched"


@pytest.mark.parametrize("profile", ["sugarcrm-ce-6.0", "sugarcrm-ce-6.1", "sugarcrm-ce-6.5"])
def test_older_products_change_an_address_in_place(tmp_path, profile):
    with emulator(tmp_path, "--profile", profile) as one:
        ask = Asker(one.url, "v2")
        session = ask.log_in()
        lead = create(ask, session, "Leads", last_name="Silva", email1="old@example.com")
        ask.call("set_entry", session, "Leads", pairs(id=lead, email1="new@example.com"))

        assert read(ask, session, "Leads", lead, "email1") == {"email1": "new@example.com"}
