"""The address of a SugarCRM site: what may be given, and what it is reduced to."""

import ipaddress
import re
from urllib.parse import urlsplit

from sugarcrm.deadline import is_forbidden
from sugarcrm.errors import NotSugarError

_ENTRY = re.compile(
    r"/(?:service/v[0-9_]+(?:/(?:rest|soap)\.php)?|rest(?:/v[0-9_.]+)?|index\.php)?/*$",
    re.IGNORECASE,
)
_METADATA_NAMES = {"metadata", "metadata.google.internal"}


def site_of(url: str, *, allow_insecure: bool = False) -> str:
    """Reduce `url` to the site's root; an address of service/<version>/rest.php is fine too.

    Raises:
        NotSugarError: not https and not on this machine, holds credentials, or leads to a
            link-local or metadata address.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in ("http", "https"):
        raise NotSugarError("the address of the CRM must look like https://crm.example.com")
    if "@" in parts.netloc:
        raise NotSugarError("the address of the CRM must not hold a user name or password")
    if parts.query or parts.fragment:
        raise NotSugarError("the address of the CRM must not hold ? or #")
    if _is_forbidden_host(host):
        raise NotSugarError(f"{host} is a link-local or metadata address, not a CRM's")
    if parts.scheme == "http" and not (allow_insecure or is_loopback(host)):
        raise NotSugarError(
            "the CRM must be reached by https; for a network of your own set"
            " SUGARLOOP_ALLOW_INSECURE_CRM=true"
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{_ENTRY.sub('', parts.path)}"


def is_loopback(host: str) -> bool:
    """Say whether `host` names this machine."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _is_forbidden_host(host: str) -> bool:
    return host.rstrip(".") in _METADATA_NAMES or (
        _address(host) is not None and is_forbidden(host)
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
