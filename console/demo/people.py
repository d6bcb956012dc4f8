"""Chapters about what people do: they submit forms, get mails, look at pages."""

import json
from typing import Any

import requests

from console.demo.tour import Tour
from events import FormSubmitted, connect

LEADS, CONTACTS = "All SugarCRM Leads", "All SugarCRM Contacts"
ANA, BEN, CLI = "ana.silva@example.com", "ben.ito@example.org", "cleo.li@example.net"
FAN = "Fan.Of.Pages@example.com"


def forms_become_leads(tour: Tour) -> None:
    """6. A form over HTTP, from Python and from the command line; twice; with a worker killed."""
    tour.type(
        *("form", "set", "demo-request", "--to", "leads"),
        *("--map", "email=email1", "--map", "name=last_name", "--map", "phone=phone_work"),
    )
    before = tour.far_end.held().leads
    token = tour.type("source", "add", "website").data["token"]
    tour.notes["token"] = token
    tour.tell("(POST /events, twice, and the realtime worker is killed in between)")
    event = _cloud_event("form-1", "FormSubmitted", _form(ANA, "Silva"))
    first = _post(tour, [event], token)
    tour.stage.kill("realtime")
    again = _post(tour, [event], token)
    tour.check("the intake answers 202", (first, again) == (202, 202), (first, again))
    tour.tell("(the same from Python, and by `events emit`)")
    producer = connect(tour.stage.env["REDIS_URL"])
    for _ in range(2):
        fields = {"email": BEN, "name": "Ito <3 & more"}
        producer.publish(FormSubmitted(form="demo-request", fields=fields), id="form-2")
    producer.close()
    words = ("events", "emit", "FormSubmitted", "--data", json.dumps(_form(CLI, "李")), "--id")
    tour.type(*words, "form-3")
    tour.type(*words, "form-3")

    def created() -> bool:
        return all(tour.far_end.find("Leads", email) for email in (ANA, BEN, CLI))

    tour.check("each form became a lead", tour.wait(created, 30))
    after = tour.far_end.held().leads
    tour.check("each made one lead, whatever was repeated or killed", after == before + 3)
    _known_person(tour)
    _silent_form(tour, after)


def _known_person(tour: Tour) -> None:
    data = json.dumps(_form(ANA.upper(), "Somebody Else", phone="+1 555 0666"))
    emitted = tour.type("events", "emit", "FormSubmitted", "--data", data).data
    tour.wait(lambda: _outcome(tour, emitted["id"]) is not None, 15)
    (lead,) = tour.far_end.find("Leads", ANA)
    values = tour.far_end.values("Leads", lead, "last_name", "phone_work")
    tour.check(
        "a known person is not changed by a form that may not",
        values == {"last_name": "Silva", "phone_work": ""},
        (_outcome(tour, emitted["id"]) or {}).get("result"),
    )


def _silent_form(tour: Tour, leads: int) -> None:
    data = json.dumps({"form": "newsletter", "fields": {"email": "quiet@example.com"}})
    emitted = tour.type("events", "emit", "FormSubmitted", "--data", data).data
    tour.wait(lambda: _outcome(tour, emitted["id"]) is not None, 15)
    tour.check("a form without a setting writes nothing", tour.far_end.held().leads == leads)


def mails_leave_notes(tour: Tour) -> None:
    """7. A sent mail shows once in the History of its recipient."""
    tour.type("message", "set", "spring-news", "--note", "on")
    members = tour.stage.sugarloop("lists", "members", CONTACTS).data
    contact = next(
        m
        for m in members
        if m["values"]["email1"] and len(tour.far_end.find("Contacts", m["values"]["email1"])) == 1
    )
    before = tour.far_end.held().notes
    address = contact["values"]["email1"]
    for email, number in ((ANA, "1"), (address, "2"), (ANA, "1")):
        data = {"message": "spring-news", "email": email, "subject": "It's spring & all"}
        words = ("events", "emit", "EmailSent", "--data", json.dumps(data))
        tour.type(*words, "--id", f"sent-{number}")
    quiet = {"message": "receipt", "email": ANA, "subject": "Your receipt"}
    tour.type("events", "emit", "EmailSent", "--data", json.dumps(quiet))
    tour.wait(lambda: tour.far_end.held().notes >= before + 2, 20)
    tour.wait(lambda: _idle(tour), 15)
    notes = tour.far_end.held().notes - before
    tour.check("one note for the lead, one for the contact, none twice", notes == 2, notes)


def behaviour_becomes_a_score(tour: Tour) -> None:
    """8. Mails opened and clicked, pages visited: the score reaches SugarCRM with the sync."""
    token = tour.notes["token"]
    did = [
        _cloud_event(f"b{n}", kind, {**data, "email": email})
        for n, (email, kind, data) in enumerate(_behaviour())
    ]
    statuses = {_post(tour, did, token), _post(tour, did, token)}
    tour.check("a batch of behaviour is accepted, twice", statuses == {202}, f"{len(did)} events")
    tour.type("sync", "run", LEADS, "--wait")  # brings the new leads into the list
    tour.type("program", "create", LEADS, "Freshen score", "--set", "lead_score_c=behavioral_score")
    ran = tour.type("program", "run", "freshen-score", "--wait").data
    score = tour.type("score", ANA).data
    # 10 for her first form, 10 for the second, 3 opens, a click, a landing page, 2 pages.
    tour.check("the score adds up, each event once", score["score"] == 32, score["score"])
    where = ("--where", f"email1={ANA}", "--columns", "lead_score_c")
    (hers,) = tour.type("lists", "members", LEADS, *where).data
    tour.check(
        "the program set the column",
        ran["changed"] > 0 and hers["values"]["lead_score_c"] == "32",
        f"{ran['changed']} changed",
    )
    tour.tell("(she clicks once more; the sync runs the program first)")
    click = {"message": "spring-news", "email": ANA, "url": "https://example.com/pricing"}
    tour.type("events", "emit", "EmailClicked", "--data", json.dumps(click))
    tour.type("sync", "run", LEADS, "--wait")
    (lead,) = tour.far_end.find("Leads", ANA)
    there = tour.far_end.values("Leads", lead, "lead_score_c")["lead_score_c"]
    tour.check("SugarCRM shows the score of this moment", there == "37", there)
    (row,) = (r for r in tour.type("lists").data if r["title"] == LEADS)
    tour.check("the listing shows both marks", row["sugarcrm"] and row["program"])


def scores_follow_to_contacts(tour: Tour) -> None:
    """8b. Leads that sales converted get nothing any more; their contacts do."""
    leads = {m["crm_id"]: m["values"] for m in _members(tour, LEADS)}
    contact_of = tour.far_end.values_of_all("Leads", "contact_id")
    before = tour.far_end.values_of_all("Contacts", "lead_score_c")
    wanted = {
        contact_of[lead]: values["lead_score_c"]
        for lead, values in leads.items()
        if contact_of.get(lead) and not before[contact_of[lead]]
    }
    (row,) = (one for one in tour.type("status").data["lists"] if one["title"] == CONTACTS)
    tour.check("status says that something waits for them", not row["in_sync"], row["why_not"])
    tour.type("sync", "setup", CONTACTS, "--push-update", "lead_score_c,email_opt_out")
    tour.type("sync", "run", CONTACTS, "--wait")
    after = tour.far_end.values_of_all("Contacts", "lead_score_c")
    shown = {contact: after[contact] for contact in wanted}
    tour.check("contacts without a score show the one of their lead", shown == wanted, len(shown))


def _members(tour: Tour, name: str) -> list[dict[str, Any]]:
    members: list[dict[str, Any]] = tour.stage.sugarloop("lists", "members", name).data
    return members


def _behaviour() -> list[tuple[str, str, dict[str, str]]]:
    news, page = {"message": "spring-news"}, {"url": "https://example.com/"}
    hers = [("EmailOpened", news)] * 3 + [("EmailClicked", {**news, **page})]
    hers += [("LandingPageVisited", {"page": "spring"}), ("PageVisited", page)]
    hers += [("PageVisited", {"url": "https://example.com/about"})]
    return [(ANA, kind, data) for kind, data in hers] + [(FAN, "PageVisited", page)] * 40


def _form(email: str, name: str, **fields: str) -> dict[str, object]:
    return {"form": "demo-request", "fields": {"email": email, "name": name, **fields}}


def _cloud_event(event_id: str, kind: str, data: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "website",
        "type": kind,
        "data": data,
    }


def _post(tour: Tour, events: list[dict[str, object]], token: str) -> int:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/cloudevents-batch+json",
    }
    url = f"{tour.stage.web_url}/events"
    answer = requests.post(url, data=json.dumps(events), headers=headers, timeout=10)
    return answer.status_code


def _outcome(tour: Tour, journal_id: str) -> dict[str, str] | None:
    events = tour.stage.sugarloop("events", "tail", "--count", "500").data
    return next((e["outcome"] for e in events if e["journal_id"] == journal_id), None)


def _idle(tour: Tour) -> bool:
    queues = tour.stage.sugarloop("status").data["queues"]
    return not any(q["waiting"] or q["held"] or q["delayed"] for q in queues)
