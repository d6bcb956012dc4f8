"""Finding out which SugarCRM answers at an address, and making the client for it."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import msgspec

from sugarcrm.answers import ServerSays
from sugarcrm.credentials import Credentials, credentials
from sugarcrm.crm import Crm
from sugarcrm.errors import CrmError, NotSugarError
from sugarcrm.gate import OPEN, Gate
from sugarcrm.legacy import LegacyClient
from sugarcrm.lost import NothingReadableError, UnreadableError
from sugarcrm.profiles import API_VERSIONS, ApiVersion, Profile, adapted, profile_for
from sugarcrm.rest11.calls import Calls
from sugarcrm.rest11.client import Rest11Client
from sugarcrm.rest11.probe import choose_version
from sugarcrm.rest11.token import TokenStore, is_platform_name
from sugarcrm.secret import Secret
from sugarcrm.service import ask_server
from sugarcrm.session import SessionStore
from sugarcrm.site import site_of
from sugarcrm.transport import Transport
from sync.findings import Findings

Api = ApiVersion | Literal["auto", "rest11"]
PLATFORM = "sugarloop"


class _Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server is, and how every request to it is sent."""

    site: str
    deadline_s: float
    pool_size: int
    ca_file: Path | None
    gate: Gate


def connect(
    url: str,
    username: str,
    password: str,
    *,
    deadline_s: float = 30.0,
    pool_size: int = 4,
    api: Api = "auto",
    ldap: bool = False,
    platform: str = PLATFORM,
    allow_insecure: bool = False,
    ca_file: Path | None = None,
    store: SessionStore | None = None,
    tokens: TokenStore | None = None,
    gate: Gate = OPEN,
    findings: Findings | None = None,
) -> Crm:
    """Probe the server at `url` and return its client; nobody is logged in yet.

    rest/v11 and v10 come before the first web service. `deadline_s` bounds each request.
    `ldap`: the server checks this user's password elsewhere, so v2 to v4_1 must send it as it is.
    `platform` is the API platform that Sugar knows us by. `allow_insecure` lets http reach another
    machine. `gate` is asked before every request and every login. `findings` are what an
    earlier look at this server has shown.

    Raises:
        NotSugarError: the address is unsafe, or no SugarCRM service answers there.
        BusyError: nothing answers there now.
    """
    server = _Server(
        site=site_of(url, allow_insecure=allow_insecure),
        deadline_s=deadline_s,
        pool_size=pool_size,
        ca_file=ca_file,
        gate=gate,
    )
    if api in ("auto", "rest11"):
        modern = _modern(server, username, password, platform, tokens, findings)
        if modern is not None:
            return modern
        if api == "rest11":
            raise NotSugarError("neither rest/v11 nor rest/v10 of SugarCRM answers here")
    usable = API_VERSIONS if api == "auto" else [v for v in API_VERSIONS if v == api]
    who = credentials(server.site, username, password, ldap=ldap)
    return _legacy(server, who, usable, store, findings)


def _modern(
    server: _Server,
    username: str,
    password: str,
    platform: str,
    tokens: TokenStore | None,
    findings: Findings | None,
) -> Crm | None:
    """Make the client for rest/v11 or v10, None when neither answers."""
    if not is_platform_name(platform):
        raise NotSugarError("the API platform must be up to 127 of a-z, A-Z, 0-9, - and _, no base")
    calls = Calls(
        server.site,
        platform=platform,
        deadline_s=server.deadline_s,
        connections=server.pool_size,
        ca_file=server.ca_file,
        gate=server.gate,
    )
    try:
        speaks = choose_version(calls)
    except CrmError:
        calls.close()
        raise
    if not speaks:
        calls.close()
        return None
    return Rest11Client(
        calls,
        username,
        Secret(password),
        pool_size=server.pool_size,
        tokens=tokens,
        findings=findings,
    )


def _legacy(
    server: _Server,
    who: Credentials,
    usable: Collection[ApiVersion],
    store: SessionStore | None,
    findings: Findings | None,
) -> Crm:
    """Make the client for the service of v2 to v4_1."""
    transport = Transport(
        server.site,
        deadline_s=server.deadline_s,
        connections=server.pool_size,
        ca_file=server.ca_file,
        gate=server.gate,
    )
    try:
        profile = adapted(probe(transport, usable), findings)
    except CrmError:
        transport.close()
        raise
    return LegacyClient(transport, profile, who, pool_size=server.pool_size, store=store)


def probe(transport: Transport, usable: Collection[ApiVersion]) -> Profile:
    """Ask every API version who is there, and choose how to talk to it through `usable` ones.

    All are asked even if one is enough: v2 does not tell SuiteCRM from SugarCRM.
    """
    answers: dict[ApiVersion, ServerSays] = {}
    refusals: list[CrmError] = []
    for version in API_VERSIONS:
        try:
            answers[version] = ask_server(transport, version)
        except (NotSugarError, UnreadableError) as error:
            refusals.append(error)
    if not answers:
        first = f"service/{API_VERSIONS[0]}: {refusals[0]}"
        readable = all(isinstance(error, NotSugarError) for error in refusals)
        kind = NotSugarError if readable else NothingReadableError
        raise kind(f"no SugarCRM web service here ({first})")
    suitecrm = next((a.suitecrm_version for a in answers.values() if a.suitecrm_version), None)
    offered = [version for version in answers if version in usable]
    if suitecrm:
        return profile_for("suitecrm", suitecrm, offered)
    return profile_for("sugarcrm", next(iter(answers.values())).version, offered)
