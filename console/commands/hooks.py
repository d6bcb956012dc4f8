"""`sugarloop connector hooks`: have SugarCRM tell of changes at once, as a hint."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from console.answers import Answer, answering, command_group
from console.hooks import switch_off, switch_on
from console.opening import opened
from store.hints import HookAddress

group = command_group("Have Sugar 7 and later tell of changes at once.")


@group.command("on")
@answering
def on(
    url: Annotated[
        str, typer.Option(help="Where SugarCRM reaches the web process, as https://host.")
    ],
) -> Answer:
    """Set up web logic hooks in SugarCRM, in place of earlier ones of ours."""
    with opened() as app:
        count = switch_on(app, url, datetime.now(UTC))
    said = f"SugarCRM calls {url} after leads and contacts change ({count} hooks)."
    return Answer({"state": "on", "url": url, "hooks": count}, (said,))


@group.command("off")
@answering
def off() -> Answer:
    """Take our web logic hooks out of SugarCRM; syncs go on as they are scheduled."""
    with opened() as app:
        was_on = switch_off(app)
    said = "SugarCRM tells of changes no more." if was_on else "SugarCRM told of none."
    return Answer({"state": "off", "was_on": was_on}, (said,))


@group.command("status")
@answering
def status() -> Answer:
    """Tell whether SugarCRM calls us, and where."""
    with opened() as app:
        kept = HookAddress(app.client).get()
    if kept is None:
        return Answer({"state": "off"}, ("SugarCRM tells of no changes; each sync finds them.",))
    said = f"SugarCRM calls {kept['base_url']} after changes, since {kept['since']}."
    return Answer({"state": "on", "url": kept["base_url"], "since": kept["since"]}, (said,))
