"""How a user name and a password go into the login of the first web service."""

import hashlib
from urllib.parse import urlsplit

import msgspec

from sugarcrm.errors import NotSugarError
from sugarcrm.secret import Secret
from sugarcrm.site import is_loopback


class Credentials(msgspec.Struct, frozen=True):
    """What login takes: the password as md5 digest, or as it is where LDAP must check it."""

    user_name: str
    password: Secret
    plain: bool = False

    def user_auth(self) -> dict[str, str | Secret]:
        """The first argument of login."""
        auth: dict[str, str | Secret] = {"user_name": self.user_name, "password": self.password}
        return {**auth, "encryption": "PLAIN"} if self.plain else auth


def credentials(site: str, user_name: str, password: str, *, ldap: bool) -> Credentials:
    """Prepare a login at `site`.

    Raises:
        NotSugarError: an LDAP user's password would cross the network readably.
    """
    if not ldap:
        # SugarCRM's login form, and in fact its password: https is what keeps it.
        digest = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
        return Credentials(user_name, Secret(digest))
    parts = urlsplit(site)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise NotSugarError("an LDAP user's password goes to SugarCRM as it is: https only")
    return Credentials(user_name, Secret(password), plain=True)
