"""The story of the demo, chapter by chapter, in the order of the guide."""

from collections.abc import Callable

from console.demo.editing import edits_on_both_sides, later_columns, scheduled_tick
from console.demo.looking_first import plan_conflict_undo_why
from console.demo.people import (
    behaviour_becomes_a_score,
    forms_become_leads,
    mails_leave_notes,
    scores_follow_to_contacts,
)
from console.demo.stage import ADMIN, ADMIN_PASSWORD, SALES, SALES_PASSWORD
from console.demo.tour import Tour

LEADS, CONTACTS = "All SugarCRM Leads", "All SugarCRM Contacts"


def connect(tour: Tour) -> None:
    """1. The connector."""
    status = tour.type("connector", "status")
    tour.check("the connector is not active at first", status.data["state"] == "inactive")
    early = tour.type("import", "leads", expect=1)
    tour.check("a command that needs it says so", "not active" in early.talk)
    words = ("connector", "activate", "--url", tour.stage.crm_url, "--password-stdin", "--username")
    refused = tour.type(*words, SALES, stdin=SALES_PASSWORD, expect=1)
    tour.check("a user without admin rights is refused", "administrator" in refused.talk)
    active = tour.type(*words, ADMIN, stdin=ADMIN_PASSWORD).data
    found = f"{active['product']} {active['version']} {active['flavour']}, {active['dialect']}"
    tour.check("version and flavour are read", active["state"] == "active", found)


def standard_fields(tour: Tour) -> None:
    """2. Standard field names."""
    drawn = tour.type("fields", "optimize").data
    tour.check("all standard and custom fields are drawn", drawn["fields"] > 90, drawn["fields"])
    tour.type("fields", "usage", "lead_source", "none")
    fields = {field["name"]: field for field in tour.type("fields").data}
    tour.check(
        "type, length and options are known, obvious usages guessed",
        fields["last_name"]["length"] == 100
        and "New" in fields["status"]["options"]
        and fields["email1"]["usage"] == "email"
        and fields["lead_score_c"]["usage"] == "score",
        f"{sum(1 for f in fields.values() if f['usage'])} with a usage",
    )
    tour.check("a usage that a person took away is gone", not fields["lead_source"]["usage"])


def imports(tour: Tour) -> None:
    """3. Import, with a worker killed half way."""
    expected = tour.far_end.held()
    tour.type("import", "leads")

    came = tour.wait(lambda: tour.stage.count_of(LEADS) > 0, 20)
    tour.stage.kill("sync")
    tour.tell("(the sync worker was killed with SIGKILL, and is started again)")
    (row,) = tour.type("lists").data
    tour.check(
        "the list shows progress while it fills",
        came and row["importing"] and 0 < row["count"] < expected.leads,
        f"{row['count']} of {expected.leads} when the worker was killed",
    )

    def filled() -> bool:
        (row,) = tour.stage.sugarloop("lists").data
        return row["importing"] is None and row["last_sync"] is not None

    tour.wait(filled, 40)
    (row,) = tour.type("lists").data
    tour.check(
        f"{row['title']} in {row['folder']} holds every lead",
        row["count"] == expected.leads,
        row["count"],
    )
    members = tour.stage.sugarloop("lists", "members", LEADS, "--columns", "last_name").data
    tour.check("each lead is there once", len({m["crm_id"] for m in members}) == len(members))
    run = tour.type("import", "contacts", "--wait").data
    tour.check("contacts, too", run["counts"]["created_here"] == expected.contacts)


def setup(tour: Tour) -> None:
    """4. Sync setup."""
    words = ("sync", "setup", LEADS)
    refused = tour.type(*words, "--push-new", "--push-update", "no_such_field", expect=2)
    tour.check("a setup that is wrong is refused whole", "no_such_field" in refused.talk)
    shown = tour.type("sync", "show", LEADS).data["setup"]
    tour.check("and nothing of it is saved", not (shown and shown["push"]["add_new"]))
    tour.type(
        *(*words, "--push-new", "--push-update", "phone_work,lead_score_c"),
        *("--pull-new", "--pull-update", "all"),
    )
    contacts = tour.type("sync", "setup", CONTACTS, "--pull-new", "--pull-update", "all").data
    push = contacts["setup"]["push"]
    tour.check("push updates no field unless chosen", not push["fields"] and not push["add_new"])


def what_goes_on(tour: Tour) -> None:
    """10. What is going on."""
    status = tour.type("status").data
    waits = [why for one in status["lists"] for why in one["why_not"]]
    tour.check("status says that all is in sync", status["in_sync"], waits)
    stranded = sum(queue["stranded"] for queue in status["queues"])
    tour.check("no message is stranded", stranded == 0)
    events = tour.type("events", "tail", "--count", "200").data
    results = sorted({e["outcome"]["result"] for e in events if e["outcome"]})
    tour.check("each event says what became of it", "created" in results, ", ".join(results))
    tour.check("no dead letters", tour.type("dead", "list").data["total"] == 0)


CHAPTERS: tuple[tuple[str, Callable[[Tour], None]], ...] = (
    ("1. Connect to SugarCRM", connect),
    ("2. Standard field names", standard_fields),
    ("3. Import, with a worker killed half way", imports),
    ("4. Sync setup", setup),
    ("5. Edits on both sides", edits_on_both_sides),
    ("5c. Plan, conflict, why, undo", plan_conflict_undo_why),
    ("6. Forms become leads", forms_become_leads),
    ("7. Sent mails show in the History", mails_leave_notes),
    ("8. Behaviour becomes a score in SugarCRM", behaviour_becomes_a_score),
    ("8b. Scores of converted leads", scores_follow_to_contacts),
    ("9. Columns added later", later_columns),
    ("5b. A tick of the scheduler", scheduled_tick),
    ("10. What is going on", what_goes_on),
)
