"""The package `sugarcrm` from the Python index against the emulator of the older protocol.

Run in an environment of its own: that package's name is the name of one of our folders.
"""

import sys

import sugarcrm

URL, USER_NAME, PASSWORD = sys.argv[1:]


def logs_in_and_lists_modules(session):
    names = [module.module_key for module in session.get_available_modules()]
    assert {"Leads", "Contacts", "Notes"} <= set(names), names


def creates_reads_and_changes_a_record(session):
    lead = sugarcrm.Lead(first_name="Ana", last_name="O'Silva", email1="ana@example.com")
    lead = session.set_entry(lead)
    assert session.get_entry("Leads", lead.id).last_name == "O'Silva"

    session.set_entry(sugarcrm.Lead(id=lead.id, title="CTO"))
    changed = session.get_entry("Leads", lead.id)
    assert (changed.title, changed.email1) == ("CTO", "ana@example.com")


def lists_counts_and_gets_several(session):
    for number in range(3):
        session.set_entry(sugarcrm.Contact(last_name=f"Listed {number}"))
    query = sugarcrm.Contact(last_name="Listed%")
    found = session.get_entry_list(query, fields=["id", "last_name"], order_by="last_name")
    assert session.get_entries_count(query) == 3
    assert sorted(one.last_name for one in found) == ["Listed 0", "Listed 1", "Listed 2"]
    ids = [one.id for one in found]
    assert sorted(one.id for one in session.get_entries("Contacts", ids)) == sorted(ids)


def links_a_note_to_a_contact(session):
    contact = session.set_entry(sugarcrm.Contact(last_name="Linked"))
    note = session.set_entry(sugarcrm.Note(name="Newsletter opened"))
    made = session.set_relationship(contact, note)
    assert made["created"] == 1, made
    read = session.get_entry("Contacts", contact.id, links={"notes": ["name"]})
    assert [one.name for one in read.notes] == ["Newsletter opened"]


def unlinks_what_it_linked(session):
    contact = session.set_entry(sugarcrm.Contact(last_name="Unlinked"))
    deal = session.set_entry(sugarcrm.Opportunity(name="Won"))
    assert session.set_relationship(contact, deal)["created"] == 1
    gone = session.set_relationship(contact, deal, delete=True)
    assert (gone["created"], gone["failed"], gone["deleted"]) == (0, 0, 1), gone
    read = session.get_entry("Contacts", contact.id, links={"opportunities": ["name"]})
    assert not getattr(read, "opportunities", [])


def gives_nothing_for_an_unknown_id(session):
    read = session.get_entry("Leads", "nosuch")
    assert getattr(read, "deleted", "1") == "1", vars(read)


def refuses_a_wrong_password(_session):
    try:
        sugarcrm.Session(URL, USER_NAME, "wrong")
    except (KeyError, TypeError):
        return
    raise AssertionError("a wrong password logs in")


CLAIMS = (
    logs_in_and_lists_modules,
    creates_reads_and_changes_a_record,
    lists_counts_and_gets_several,
    links_a_note_to_a_contact,
    unlinks_what_it_linked,
    gives_nothing_for_an_unknown_id,
    refuses_a_wrong_password,
)

if __name__ == "__main__":
    opened = sugarcrm.Session(URL, USER_NAME, PASSWORD)
    for claim in CLAIMS:
        claim(opened)
        name = claim.__name__.replace("_", " ")
        sys.stdout.write(f"sugarcrm {sugarcrm.__version__} {name}\n")
