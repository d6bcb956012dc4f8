"""Activate the SugarCRM connector: the login is the test."""

from datetime import datetime

import msgspec

from console.exits import InputError, RefusedError
from store.connector import Connection
from sugarcrm.connect import Api, connect
from sugarcrm.crm import Account, ServerInfo
from sugarcrm.profiles import API_VERSIONS
from workers.app import App

OLDEST = (5, 5, 0)  # the first SugarCRM whose service is spoken here


def activate(
    app: App,
    url: str,
    username: str,
    password: str,
    protocol: str,
    now: datetime,
    *,
    ldap: bool = False,
) -> Connection:
    """Log in, and store the connection with its password encrypted; else nothing changes.

    Raises:
        RefusedError: the user is no administrator, or the server is too old.
        CrmError: the login failed; its class says why.
        NotActiveError: there is no key to encrypt the password with.
    """
    sealed, known = app.connector.seal(password), app.connector.get()
    if known is None or known.url != url:
        app.budget.forget_pace()  # what another server asked for
    account, info = _log_in(app, url, username, password, protocol_named(protocol), ldap)
    _refuse_without_rights(account)
    _refuse_too_old(info)
    connection = Connection(
        state="active",
        url=url,
        username=username,
        sealed_password=sealed,
        user_id=account.user_id,
        protocol=protocol_named(protocol),
        ldap=ldap,
        product=info.product,
        version=info.version,
        flavour=info.flavour,
        dialect=info.dialect,
        activated_at=now.isoformat(timespec="seconds"),
    )
    app.connector.put(connection)
    return connection


def protocol_named(name: str) -> Api:
    """Give the protocol of this name.

    Raises:
        InputError: there is none.
    """
    try:
        protocol: Api = msgspec.convert(name, Api)
    except msgspec.ValidationError:
        known = ", ".join(("auto", "rest11", *API_VERSIONS))
        raise InputError(f"--protocol: {name!r} is none of {known}") from None
    return protocol


def _log_in(
    app: App, url: str, username: str, password: str, protocol: Api, ldap: bool
) -> tuple[Account, ServerInfo]:
    knobs = app.knobs
    crm = connect(
        url,
        username,
        password,
        api=protocol,
        ldap=ldap,
        deadline_s=knobs.crm_deadline_s,
        pool_size=1,
        allow_insecure=knobs.allow_insecure_crm,
        gate=app.gate,  # unguarded: a slip of the keyboard stops no connector that works
    )
    try:
        return crm.login(), crm.server_info()
    finally:
        crm.close()


def _refuse_without_rights(account: Account) -> None:
    if not account.is_admin:
        raise RefusedError(
            f"the SugarCRM user {account.user_name!r} is no administrator: it would not see every"
            " lead and contact, so records would seem deleted; give the user administrative"
            " privileges, or name another"
        )


def _refuse_too_old(info: ServerInfo) -> None:
    digits = [int(part) for part in info.version.split(".")[:3] if part.isdigit()]
    if info.product == "sugarcrm" and tuple(digits) < OLDEST:
        raise RefusedError(f"SugarCRM {info.version} is too old: 5.5.0 and later are understood")
