"""`sugarloop doctor`: is everything as it should be, and what to do if not?"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from console import exits
from console.answers import Answer, Table, answering, command_group
from console.check import Check, fail, good, warn
from console.crm_checks import crm_checks
from console.finding_checks import finding_checks
from console.looking import look
from console.opening import opened
from console.redis_checks import redis_checks
from sugarcrm.errors import CrmError
from sync.failure import Retriable
from workers.app import App
from workers.settings import Settings, SettingsError, load, shown

group = command_group("Check settings, Redis and SugarCRM; say what to do about it.")


@group.command("doctor")
@answering
def doctor(
    probe: Annotated[
        bool, typer.Option(help="Look at SugarCRM's habits, on leads made and removed for that.")
    ] = False,
) -> Answer:
    """Check settings, Redis and SugarCRM; without --probe nothing is written to SugarCRM."""
    checks, knobs = _settings_checks()
    if knobs is not None:
        with opened() as app:
            checks += redis_checks(app.client, knobs.heartbeat_s)
            if not any(check.name == "redis" and check.level == "fail" for check in checks):
                found = crm_checks(app, datetime.now(UTC))
                if not any(check.name == "connector" and check.level != "ok" for check in found):
                    found += _server_checks(app, probe=probe)
                checks += found
    failed = sum(check.level == "fail" for check in checks)
    rows = [(check.level, check.name, check.found, check.do) for check in checks]
    said = f"{failed} checks failed." if failed else "Nothing failed."
    data = {"ok": not failed, "checks": checks, "settings": shown(knobs) if knobs else None}
    text = (Table(("", "check", "found", "what to do"), rows), said)
    return Answer(data, text, exits.FAILED if failed else exits.DONE)


def _server_checks(app: App, *, probe: bool) -> list[Check]:
    """What is known of the server's habits, found out now if so wished."""
    try:
        findings = look(app) if probe else app.connector.active().findings
    except CrmError as problem:
        do = "try again later" if isinstance(problem, Retriable) else "see the rights of the user"
        return [fail("server", f"it could not be looked at: {problem}", do)]
    if probe and findings is None:
        return [good("server", "its habits need no looking at over this protocol")]
    return finding_checks(findings)


def _settings_checks() -> tuple[list[Check], Settings | None]:
    try:
        knobs = load()
    except SettingsError as problem:
        return [fail("settings", text, "correct the variable") for text in problem.problems], None
    if knobs.keys:
        return [good("settings", "all variables are understood")], knobs
    do = "set SUGARLOOP_KEY to a Fernet key; a local installation makes one by itself"
    return [warn("settings", "no SUGARLOOP_KEY: no password can be kept", do)], knobs
