"""A chapter about what a person sees beforehand, is asked, can trace, and takes back."""

from console.demo.tour import Tour

LEADS = "All SugarCRM Leads"
OURS, THEIRS = "+1 555 0111", "+1 555 0122"


def plan_conflict_undo_why(tour: Tour) -> None:
    """5c. A plan before anything is written; a conflict; why a value is there; and undo."""
    tour.type("sync", "setup", LEADS, "--field-rule", "phone_work=ask")
    person = next(
        m for m in tour.stage.sugarloop("lists", "members", LEADS).data if m["values"]["phone_work"]
    )
    crm_id, before = person["crm_id"], person["values"]["phone_work"]
    tour.type("lists", "edit", LEADS, person["id"], f"phone_work={OURS}")
    tour.tell(f"(in SugarCRM, somebody gives the same lead another phone number, {crm_id})")
    tour.far_end.edit("Leads", crm_id, phone_work=THEIRS)

    mark = len(tour.stage.calls())
    plan = tour.type("sync", "plan", LEADS, "--items", "--record", person["id"]).data
    (item,) = plan["items"]
    tour.check("the plan says that a person is asked", "phone_work" in item["because"])
    tour.check("and nothing was written", not tour.writes_since(mark))

    tour.type("sync", "run", LEADS, "--wait")
    (asked,) = tour.type("sync", "conflicts", LEADS).data
    values = (asked["base"], asked["ours"], asked["theirs"])
    tour.check("the conflict shows all three values", values == (before, OURS, THEIRS), values)
    tour.type("sync", "conflicts", LEADS, person["id"], "--take", "list")
    run = tour.type("sync", "run", LEADS, "--wait").data["id"]
    there = tour.far_end.values("Leads", crm_id, "phone_work")["phone_work"]
    tour.check("the answer is carried out", there == OURS, there)

    (field,) = tour.type("why", LEADS, person["id"], "phone_work").data["fields"]
    newest = field["changes"][0]
    tour.check(
        "why tells where the value went, from what, and in which run",
        (newest["side"], newest["before"], newest["by"]) == ("SugarCRM", THEIRS, f"run {run}"),
        newest["because"],
    )
    tour.type("sync", "undo", LEADS, run, "--wait")
    there = tour.far_end.values("Leads", crm_id, "phone_work")["phone_work"]
    tour.check("undo restores what the run changed", there == THEIRS, there)
    mark = len(tour.stage.calls())
    tour.type("sync", "run", LEADS, "--wait")
    tour.check("and the next sync does not change it again", not tour.writes_since(mark))
    tour.type("sync", "setup", LEADS, "--field-rule", "none")
