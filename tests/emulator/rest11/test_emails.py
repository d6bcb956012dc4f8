"""Email collections, and addresses that records share."""

import pytest

from tests.emulator.rest11.asker import good


def address(text, **flags):
    return {"email_address": text} | flags


def listed(record):
    """Give the addresses of a record: text, and the names of the flags that are on."""
    flags = ("primary_address", "opt_out", "invalid_email")
    return [(e["email_address"], [f for f in flags if e[f]]) for e in record["email"]]


def test_the_first_address_is_primary_unless_another_is(crm):
    both = [address("one@example.com"), address("two@example.com")]
    marked = [address("one@example.com"), address("two@example.com", primary_address=True)]

    first = crm.post("Leads", {"last_name": "x", "email": both})
    second = crm.post("Leads", {"last_name": "x", "email": marked})

    assert listed(first)[0] == ("one@example.com", ["primary_address"])
    assert listed(second)[0] == ("two@example.com", ["primary_address"])
    assert (first["email1"], second["email1"]) == ("one@example.com", "two@example.com")


def test_a_collection_replaces_the_one_before(crm):
    lead = crm.post("Leads", {"last_name": "x", "email": [address("old@example.com")]})

    changed = crm.put(f"Leads/{lead['id']}", {"email": [address("new@example.com")]})

    assert listed(changed) == [("new@example.com", ["primary_address"])]
    assert crm.put(f"Leads/{lead['id']}", {"email": []})["email"] == []


def test_an_update_without_a_word_of_addresses_leaves_them(crm):
    lead = crm.post("Leads", {"last_name": "x", "email": [address("stays@example.com")]})

    assert listed(crm.put(f"Leads/{lead['id']}", {"title": "y"})) == listed(lead)


def test_a_flag_holds_for_everyone_who_has_the_address(crm):
    shared = [address("shared@example.com")]
    lead = crm.post("Leads", {"last_name": "x", "email": shared})
    contact = crm.post("Contacts", {"last_name": "y", "email": shared})

    crm.put(f"Leads/{lead['id']}", {"email": [address("Shared@Example.com", opt_out=True)]})

    there = crm.get(f"Contacts/{contact['id']}")
    assert listed(there) == [("shared@example.com", ["primary_address", "opt_out"])]
    assert there["email_opt_out"] is True
    assert there["date_modified"] == contact["date_modified"]


def test_a_flag_that_was_not_sent_stays(crm):
    lead = crm.post("Leads", {"last_name": "x", "email": [address("f@example.com", opt_out="1")]})

    changed = crm.put(f"Leads/{lead['id']}", {"email": [address("f@example.com")]})

    assert changed["email_opt_out"] is True


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        pytest.param({"email1": "b@example.com"}, ["b@example.com", "a2@example.com"], id="new"),
        pytest.param({"email1": "A1@example.com"}, ["a1@example.com", "a2@example.com"], id="same"),
        pytest.param({"email1": ""}, ["a2@example.com"], id="none"),
    ],
)
def test_the_flat_address_stands_for_the_primary_one(crm, sent, shown):
    both = [address("a1@example.com"), address("a2@example.com")]
    lead = crm.post("Leads", {"last_name": "x", "email": both})

    changed = crm.put(f"Leads/{lead['id']}", sent)

    assert sorted(text for text, _ in listed(changed)) == sorted(shown)


def test_the_flat_flags_are_those_of_the_primary_address(crm):
    lead = crm.post("Leads", {"last_name": "x", "email1": "flat@example.com"})

    changed = crm.put(f"Leads/{lead['id']}", {"email_opt_out": True, "invalid_email": "1"})

    assert listed(changed)[0][1] == ["primary_address", "opt_out", "invalid_email"]


def test_addresses_are_records_too(crm):
    crm.post("Leads", {"last_name": "x", "email": [address("row@example.com", opt_out=True)]})
    wanted = {"filter": [{"email_address": {"$in": ["row@example.com"]}}]}

    (row,) = crm.post("EmailAddresses/filter", wanted)["records"]

    assert row["opt_out"] is True
    good(crm.ask("PUT", f"EmailAddresses/{row['id']}", {"opt_out": False}))
    assert crm.post("EmailAddresses/filter", wanted)["records"][0]["opt_out"] is False
