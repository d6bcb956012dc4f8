"""Finding out which SugarCRM answers at an address, and making the client for it."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from sugarcrm.answers import ServerSays
from sugarcrm.crm import Crm
from sugarcrm.errors import CrmError, NotSugarError
from sugarcrm.gate import OPEN, Gate
from sugarcrm.legacy import LegacyClient
from sugarcrm.lost import UnreadableError
from sugarcrm.profiles import API_VERSIONS, ApiVersion, Profile, profile_for
from sugarcrm.secret import Secret
from sugarcrm.service import ask_server
from sugarcrm.session import SessionStore
from sugarcrm.site import site_of
from sugarcrm.transport import Transport


def connect(
    url: str,
    username: str,
    password: str,
    *,
    deadline_s: float = 30.0,
    pool_size: int = 4,
    api: ApiVersion | Literal["auto"] = "auto",
    allow_insecure: bool = False,
    ca_file: Path | None = None,
    store: SessionStore | None = None,
    gate: Gate = OPEN,
) -> Crm:
    """Probe the server at `url` and return its client; nobody is logged in yet.

    `deadline_s` bounds each request. `allow_insecure` lets http reach another machine.
    `gate` is asked before every request and every login.

    Raises:
        NotSugarError: the address is unsafe, or no SugarCRM service answers there.
        BusyError: nothing answers there now.
    """
    site = site_of(url, allow_insecure=allow_insecure)
    transport = Transport(
        site, deadline_s=deadline_s, connections=pool_size, ca_file=ca_file, gate=gate
    )
    try:
        profile = probe(transport, API_VERSIONS if api == "auto" else (api,))
    except CrmError:
        transport.close()
        raise
    # SugarCRM's login form, and in fact its password: https is what keeps it.
    digest = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    return LegacyClient(
        transport, profile, username, Secret(digest), pool_size=pool_size, store=store
    )


def probe(transport: Transport, usable: Collection[ApiVersion]) -> Profile:
    """Ask every API version who is there, and choose how to talk to it through `usable` ones.

    All are asked even if one is enough: v2 does not tell SuiteCRM from SugarCRM.
    """
    answers: dict[ApiVersion, ServerSays] = {}
    refusals: list[str] = []
    for version in API_VERSIONS:
        try:
            answers[version] = ask_server(transport, version)
        except (NotSugarError, UnreadableError) as error:
            refusals.append(f"service/{version}: {error}")
    if not answers:
        raise NotSugarError(f"no SugarCRM web service here ({refusals[0]})")
    suitecrm = next((a.suitecrm_version for a in answers.values() if a.suitecrm_version), None)
    offered = [version for version in answers if version in usable]
    if suitecrm:
        return profile_for("suitecrm", suitecrm, offered)
    return profile_for("sugarcrm", next(iter(answers.values())).version, offered)
