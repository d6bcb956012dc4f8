"""While the login is refused, runs and events wait; they go on when it is activated again."""

import msgspec
import pytest

from events import FormSubmitted, ListImportRequested, SyncTick
from store.connector import LoginRefusedError
from sync.lists import FormSetting
from sync.setup import PullSetup
from tests.emulated import PASSWORD


def give_password(loop, password=PASSWORD):
    """Store a password, as `sugarloop connector activate` does."""
    connector = loop.app.connector
    given = {"state": "active", "sealed_password": connector.seal(password), "problem": ""}
    connector.put(msgspec.structs.replace(connector.get(), **given))


def lock_out(loop):
    """As if the password had been changed in SugarCRM, and the sessions had ended."""
    loop.app.close()
    give_password(loop, "changed-there")


def deliver_again(loop, journal_id):
    """Deliver an event's message once more, as its retry does."""
    event = loop.app.journal.read(journal_id).envelope.data
    loop.app.producer.redeliver(journal_id, event)
    loop.deliver()


def test_a_sync_that_meets_a_refused_login_is_kept_and_goes_on(loop):
    of, _ = loop.import_all(columns=("email1", "last_name"))
    loop.allow(of.id, pull=PullSetup(add_new=True, fields=None, update_existing=True))
    lock_out(loop)

    with pytest.raises(LoginRefusedError):
        loop.publish(SyncTick(list=of.id))
    active = loop.app.runs.active(of.id)
    assert active.phase == "pull"
    assert "stopped" in active.waits_for

    give_password(loop)
    deliver_again(loop, active.trigger)
    done = loop.app.runs.get(active.id)
    assert (done.phase, done.waits_for) == ("done", "")


def test_a_run_that_waits_does_not_seem_stalled(loop):
    of, _ = loop.import_all(columns=("email1", "last_name"))
    loop.allow(of.id, pull=PullSetup(add_new=True, fields=None, update_existing=True))
    lock_out(loop)
    with pytest.raises(LoginRefusedError):
        loop.publish(SyncTick(list=of.id))
    run_id = loop.app.runs.active(of.id).id
    loop.app.client.hset(f"run:{run_id}", "progressed_at", "2020-01-01T00:00:00+00:00")

    with pytest.raises(LoginRefusedError):
        deliver_again(loop, loop.app.runs.active(of.id).trigger)

    assert loop.app.runs.get(run_id).progressed_at > "2020-01-02"


def test_a_form_waits_for_its_turn_and_is_no_dead_letter(loop, person):
    mapping = {"mail": "email1", "name": "last_name"}
    loop.app.forms.put("waits", FormSetting(form="waits", module="Leads", mapping=mapping))
    lock_out(loop)
    fields = {"mail": "waits@example.com", "name": "Waits"}
    form = FormSubmitted(form="waits", fields=fields)

    with pytest.raises(LoginRefusedError):
        loop.publish(form, id="waits-1")
    assert person.last_names("Leads", "Waits") == []

    give_password(loop)
    journal_id = loop.app.producer.publish(form, id="waits-1").id  # known: gives its id
    deliver_again(loop, journal_id)
    assert person.last_names("Leads", "Waits") == ["Waits"]


def test_an_import_asked_for_meanwhile_waits_too(loop):
    lock_out(loop)

    with pytest.raises(LoginRefusedError):
        loop.publish(ListImportRequested(module="Leads"))
