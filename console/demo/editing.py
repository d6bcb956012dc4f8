"""Chapters about records that are edited in the list, in SugarCRM, and on a schedule."""

from datetime import UTC, datetime, timedelta

from console.demo.tour import Tour

LEADS = "All SugarCRM Leads"
NEW_HERE, NEW_THERE = "nora.new@example.com", "0dec0de0-0000-4000-8000-000000000001"


def edits_on_both_sides(tour: Tour) -> None:
    """5. Different fields of one record, edited on both sides; new people on both sides."""
    _schedule_soon(tour)
    members = tour.stage.sugarloop("lists", "members", LEADS).data
    person = next(m for m in members if "'" in m["values"]["last_name"])
    crm_id = person["crm_id"]
    tour.type("lists", "edit", LEADS, person["id"], "phone_work=+1 555 0177")
    tour.tell(f"(in SugarCRM, somebody edits the first name of the same lead, {crm_id})")
    tour.far_end.edit("Leads", crm_id, first_name='Zoë "Zo" & Søn')
    tour.type("lists", "add", LEADS, f"email1={NEW_HERE}", "last_name=O'Neill-Núñez & Co")
    tour.far_end.add("Leads", NEW_THERE, last_name="Typed In", email1="typed.in@example.com")

    run = tour.type("sync", "run", LEADS, "--wait").data
    there = tour.far_end.values("Leads", crm_id, "first_name", "phone_work", "last_name")
    after = {m["crm_id"]: m for m in tour.stage.sugarloop("lists", "members", LEADS).data}
    wanted = ('Zoë "Zo" & Søn', "+1 555 0177")
    here = after[crm_id]["values"]
    tour.check(
        "both edits survive in SugarCRM", (there["first_name"], there["phone_work"]) == wanted
    )
    tour.check("and in the list", (here["first_name"], here["phone_work"]) == wanted)
    tour.check("the quote in the name is as it was", there["last_name"] == here["last_name"])
    tour.check(
        "a new person in the list is one lead", len(tour.far_end.find("Leads", NEW_HERE)) == 1
    )
    tour.check("a new lead is in the list", NEW_THERE in after)
    tour.check("the run counts them", _counts(run) == (1, 1), run["counts"])
    _unchanged(tour)


def _counts(run: dict[str, dict[str, int]]) -> tuple[int, int]:
    return run["counts"].get("created_there", 0), run["counts"].get("created_here", 0)


def _unchanged(tour: Tour) -> None:
    mark = len(tour.stage.calls())
    tour.type("sync", "run", LEADS, "--wait")
    calls = len(tour.stage.calls()) - mark
    tour.check("an unchanged list costs a handful of calls", calls <= 6, f"{calls} calls")
    tour.check("and no writes", not tour.writes_since(mark))
    runs = tour.type("sync", "runs", LEADS).data
    tour.check("runs are listed with their counts", len(runs) >= 3, f"{len(runs)} runs")


def _schedule_soon(tour: Tour) -> None:
    """Let a slot of the schedule fall into this demo, some time from now."""
    slot = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    if slot - datetime.now(UTC) < timedelta(seconds=15):
        slot += timedelta(minutes=1)
    when = f"daily {slot:%H:%M}"
    tour.type("sync", "setup", LEADS, "--schedule", when, "--zone", "UTC")
    tour.notes["slot"] = slot


def scheduled_tick(tour: Tour) -> None:
    """5b. The clock process emits the tick of the schedule that was saved above."""
    slot: datetime = tour.notes["slot"]
    left_s = max(0.0, (slot - datetime.now(UTC)).total_seconds())
    if left_s > 1:
        tour.tell(f"(waiting {left_s:.0f} s for the slot at {slot:%H:%M} UTC)")

    def ticked() -> bool:
        events = tour.stage.sugarloop("events", "tail", "--count", "500").data
        ticks = [e for e in events if e["type"] == "SyncTick" and e["source"] == "clock"]
        tour.notes["ticks"] = ticks
        return any(tick["outcome"] for tick in ticks)

    tour.check("the clock emitted the tick of the schedule", tour.wait(ticked, left_s + 15))
    ticks = tour.notes["ticks"]
    tour.check("once", len(ticks) == 1, f"{len(ticks)} tick of {slot:%H:%M} UTC")
    # The run may be one that a person started at that moment: then the tick is folded into it.
    wanted = {tick["outcome"]["run"] for tick in ticks}

    def synced() -> bool:
        runs = tour.stage.sugarloop("sync", "runs", LEADS, "--count", "50").data
        return wanted <= {run["id"] for run in runs if run["phase"] == "done"}

    tour.check("and its run is done", tour.wait(synced, 15))


def later_columns(tour: Tour) -> None:
    """9. New columns fill for every record at the next sync."""
    tour.type("lists", "columns", LEADS, "--add", "description,date_entered")
    before = tour.stage.sugarloop("lists", "members", LEADS).data
    tour.check("they are empty at first", not any("date_entered" in m["values"] for m in before))
    tour.type("sync", "run", LEADS, "--wait")
    members = tour.stage.sugarloop("lists", "members", LEADS).data
    there = tour.far_end.values_of_all("Leads", "date_entered")
    here = {m["crm_id"]: m["values"].get("date_entered") for m in members}
    filled = sum(1 for value in here.values() if value)
    tour.check("the next sync fills every record", here == there, f"{filled} of {len(here)}")
