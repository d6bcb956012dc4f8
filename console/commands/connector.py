"""`sugarloop connector`: activate, look at and switch off the connection to SugarCRM."""

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from console.activation import activate as log_in
from console.activation import protocol_named
from console.answers import Answer, answering, command_group
from console.commands.hooks import group as hooks
from console.exits import InputError
from console.finding_checks import finding_checks
from console.hooks import switch_off
from console.looking import look
from console.opening import opened
from console.standing import STATES, TO_DO
from store.connector import Connection
from store.hints import HookAddress
from sugarcrm.errors import CrmError
from sync.failure import Permanent, Retriable
from workers.app import App
from workers.settings import CRM_PASSWORD

group = command_group("The connection to SugarCRM.")
group.add_typer(hooks, name="hooks")


@group.command("activate")
@answering
def activate(
    url: Annotated[str, typer.Option(help="Where SugarCRM is, as in the browser.")],
    username: Annotated[str, typer.Option(help="A SugarCRM user with admin rights.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    protocol: Annotated[
        str,
        typer.Option(help="auto, rest11, or one version of the first web service: v2 ... v4_1."),
    ] = "auto",
    ldap: Annotated[
        bool, typer.Option("--ldap", help="SugarCRM checks this user's password in LDAP.")
    ] = False,
    probe: Annotated[
        bool,
        typer.Option(help="Look at SugarCRM's habits, on leads made and removed for that."),
    ] = True,
) -> Answer:
    """Log in to SugarCRM, and use this account from now on.

    The password is taken from standard input, from SUGARLOOP_CRM_PASSWORD, or asked for.
    """
    protocol_named(protocol)
    password = _password(stdin=password_stdin)
    with opened() as app:
        now = datetime.now(UTC)
        connection = log_in(app, url, username, password, protocol, now, ldap=ldap)
        said = [f"The connector is active: {_sentence(connection)}."]
        if probe:
            said += _looked(app)
    return Answer(_shown(connection), tuple(said))


@group.command("status")
@answering
def status() -> Answer:
    """Tell whether the connector is active, and what it is connected to."""
    with opened() as app:
        connection = app.connector.get()
    if connection is None:
        hint = "activate it with `sugarloop connector activate --url URL --username NAME`"
        return Answer({"state": "inactive"}, (f"The connector is not active; {hint}.",))
    state = STATES[connection.state]
    why = f" ({connection.problem})" if connection.problem else ""
    said = [f"The connector is {state}{why}: {_sentence(connection)}."]
    if connection.state == "refused":
        said.append(TO_DO)
    return Answer(_shown(connection), tuple(said))


@group.command("deactivate")
@answering
def deactivate() -> Answer:
    """Switch the connector off and forget the password; lists keep what they have."""
    with opened() as app:
        said_of_hooks = _hooks_off(app)
        was_on = app.connector.deactivate()
    said = "The connector is off." if was_on else "The connector was not active."
    return Answer({"state": "inactive", "was_active": was_on}, (said, *said_of_hooks))


def _hooks_off(app: App) -> tuple[str, ...]:
    """Take our hooks back while there still is a login; calls are turned away in any case."""
    if HookAddress(app.client).get() is None:
        return ()
    try:
        switch_off(app)
    except (CrmError, Permanent, Retriable) as problem:
        return (f"Its web logic hooks stay in SugarCRM, and are not answered ({problem}).",)
    return ("Its web logic hooks were removed from SugarCRM.",)


def _looked(app: App) -> list[str]:
    """Look at the server, and say what a person should know of it; the login stands anyway."""
    try:
        findings = look(app)
    except CrmError as problem:
        return [f"Its habits could not be looked at ({problem}); see `sugarloop doctor --probe`."]
    if findings is None:
        return []
    odd = [check for check in finding_checks(findings) if check.level != "ok"]
    return [f"{check.name}: {check.found}; {check.do}." for check in odd]


def _password(*, stdin: bool) -> str:
    """The password from where the person chose to give it; never from the command line.

    Raises:
        InputError: none was given, and nobody is there to ask.
    """
    if stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    elif CRM_PASSWORD in os.environ:
        given = os.environ[CRM_PASSWORD]
    elif sys.stdin.isatty():
        given = typer.prompt("SugarCRM password", hide_input=True, err=True)
    else:
        raise InputError(f"password: give it with --password-stdin or in {CRM_PASSWORD}")
    if not given:
        raise InputError("password: it is empty")
    return given


def _shown(connection: Connection) -> dict[str, str]:
    """What may be shown of a connection: everything but the password."""
    return {
        "state": connection.state,
        "url": connection.url,
        "username": connection.username,
        "product": connection.product,
        "version": connection.version,
        "flavour": connection.flavour,
        "protocol": connection.protocol,
        "dialect": connection.dialect,
        "activated_at": connection.activated_at,
        "problem": connection.problem,
    }


def _sentence(connection: Connection) -> str:
    product = {"suitecrm": "SuiteCRM", "sugarcrm": "SugarCRM"}.get(connection.product, "")
    server = f"{product} {connection.version}".strip()
    return f"{server} at {connection.url}, as {connection.username} ({connection.dialect})"
