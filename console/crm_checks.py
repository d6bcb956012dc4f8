"""Whether SugarCRM can be worked with: login, rights, version, clock, fields."""

from datetime import UTC, datetime

from console.check import Check, fail, good, warn
from console.finding_checks import clock_check
from store.connector import LoginRefusedError, NotActiveError
from sugarcrm.crm import Account, Crm, ServerInfo
from sugarcrm.errors import CrmError
from sync.catalogue import Module
from sync.failure import Retriable
from workers.app import App
from workers.catalogues import MODULES

_CLOCK_FORM = "%Y-%m-%d %H:%M:%S"
_ACTIVATE = "activate the connector with `sugarloop connector activate`"
_ACTIVATE_AGAIN = "see to the user in SugarCRM, then `sugarloop connector activate` again"


def crm_checks(app: App, now: datetime) -> list[Check]:
    """Check everything that a sync needs of SugarCRM; it is only read."""
    try:
        crm = app.crm()
        account, info = crm.login(), crm.server_info()
    except NotActiveError as problem:
        return [warn("connector", str(problem), _ACTIVATE)]
    except LoginRefusedError as problem:
        return [fail("connector", str(problem), _ACTIVATE_AGAIN)]
    except CrmError as problem:
        later = isinstance(problem, Retriable)
        do = "see whether SugarCRM runs, and try again" if later else _ACTIVATE
        return [fail("connector", str(problem), do)]
    return [
        good("connector", f"logged in as {account.user_name}"),
        _rights(account),
        _version(info),
        _clock(info, now),
        *(_fields(app, crm, module) for module in MODULES),
    ]


def _rights(account: Account) -> Check:
    if account.is_admin:
        return good("rights", f"{account.user_name} is an administrator")
    do = "give the user administrative privileges: else records seem deleted that it may not see"
    return fail("rights", f"{account.user_name} is no administrator", do)


def _version(info: ServerInfo) -> Check:
    return good("version", f"{info.product} {info.version} {info.flavour} ({info.dialect})")


def _clock(info: ServerInfo, now: datetime) -> Check:
    try:
        theirs = datetime.strptime(info.gmt_time, _CLOCK_FORM).replace(tzinfo=UTC)
    except ValueError:
        return warn("crm clock", f"it says {info.gmt_time!r}", "look at the server's date settings")
    return clock_check("crm clock", (theirs - now).total_seconds())


def _fields(app: App, crm: Crm, module: Module) -> Check:
    """Whether the columns that lists use are still there."""
    try:
        present = {field.name for field in crm.fields(module)}
    except CrmError as problem:
        return fail(f"fields of {module}", str(problem), "see the rights of the user")
    used = {c for of in app.lists.all() if of.module == module for c in of.columns}
    missing = sorted(used - present)
    if missing:
        found = f"lists use {', '.join(missing)}, which SugarCRM no longer has"
        return warn(f"fields of {module}", found, "put them back in SugarCRM's Studio")
    return good(f"fields of {module}", f"{len(present)} fields")
