"""`sugarloop doctor`: is everything as it should be, and what to do if not?"""

from datetime import UTC, datetime

from console import exits
from console.answers import Answer, Table, answering, command_group
from console.check import Check, fail, good, warn
from console.crm_checks import crm_checks
from console.opening import opened
from console.redis_checks import redis_checks
from workers.settings import Settings, SettingsError, load, shown

group = command_group("Check settings, Redis and SugarCRM; say what to do about it.")


@group.command("doctor")
@answering
def doctor() -> Answer:
    """Check settings, Redis and SugarCRM; nothing is written anywhere."""
    checks, knobs = _settings_checks()
    if knobs is not None:
        with opened() as app:
            checks += redis_checks(app.client, knobs.heartbeat_s)
            if not any(check.name == "redis" and check.level == "fail" for check in checks):
                checks += crm_checks(app, datetime.now(UTC))
    failed = sum(check.level == "fail" for check in checks)
    rows = [(check.level, check.name, check.found, check.do) for check in checks]
    said = f"{failed} checks failed." if failed else "Nothing failed."
    data = {"ok": not failed, "checks": checks, "settings": shown(knobs) if knobs else None}
    text = (Table(("", "check", "found", "what to do"), rows), said)
    return Answer(data, text, exits.FAILED if failed else exits.DONE)


def _settings_checks() -> tuple[list[Check], Settings | None]:
    try:
        knobs = load()
    except SettingsError as problem:
        return [fail("settings", text, "correct the variable") for text in problem.problems], None
    if knobs.keys:
        return [good("settings", "all variables are understood")], knobs
    do = "set SUGARLOOP_KEY to a Fernet key; a local installation makes one by itself"
    return [warn("settings", "no SUGARLOOP_KEY: no password can be kept", do)], knobs
