"""The servers that the contract is held against.

A real one joins when SUGARCRM_TEST_URL, SUGARCRM_TEST_USER and SUGARCRM_TEST_PASSWORD are set; its
user must be an administrator. Only records of the tests' own are written there, and removed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from uuid import uuid4

import msgspec

from sugarcrm.connect import Api, connect
from sugarcrm.credentials import credentials
from sugarcrm.crm import Crm, Draft
from sugarcrm.profiles import ApiVersion
from sugarcrm.rest11.calls import Calls
from sugarcrm.secret import Secret
from sugarcrm.service import ask_login
from sugarcrm.site import site_of
from sugarcrm.transport import Transport
from tests.sugarcrm.people import PEOPLE

ADMIN = PEOPLE["admin"]
MODULES = ("Leads", "Contacts")
Options = dict[str, object]


class LegacyHands:
    """Does on v2 to v4_1 what `Crm` has no call for."""

    lists_deleted = True

    def __init__(self, url: str, api: ApiVersion, user: tuple[str, str]) -> None:
        self.api = api
        self._transport = Transport(site_of(url), deadline_s=20, connections=1)
        login = ask_login(self._transport, api, credentials(url, *user, ldap=False))
        self._session = Secret(login.id)

    def call(self, method: str, *args: object) -> object:
        return self._transport.post(self.api, method, [self._session, *args], object)

    def delete(self, module: str, record_id: str) -> None:
        self.save(module, id=record_id, deleted=1)

    def save(self, module: str, **values: object) -> str:
        pairs = [{"name": name, "value": value} for name, value in values.items()]
        return self.call("set_entry", module, pairs)["id"]

    def tie(self, module: str, ids: list[str]) -> None:
        """Create records that all changed in one second."""
        stamp = {"update_date_modified": False, "date_modified": "2031-01-02 03:04:05"}
        for one in ids:
            self.save(module, id=one, new_with_id=1, last_name="Tie", **stamp)

    def related(self, module: str, record_id: str, link: str, *fields: str) -> list[dict[str, str]]:
        found = self.call("get_relationships", module, record_id, link, "", fields, [], 0)
        lists = [entry["name_value_list"] for entry in found["entry_list"]]
        return [{name: pair["value"] for name, pair in pairs.items()} for pairs in lists]

    def close(self) -> None:
        self._transport.close()


class RestHands:
    """Does on rest/v10 and v11 what `Crm` has no call for; `base` leaves our session alone."""

    def __init__(self, url: str, version: str, user: tuple[str, str], lists_deleted: bool) -> None:
        self.lists_deleted = lists_deleted
        self._calls = Calls(site_of(url), platform="base", deadline_s=20, connections=1)
        self._calls.version = version
        grant = {"grant_type": "password", "client_id": "sugar", "client_secret": ""}
        who = {"username": user[0], "password": user[1], "platform": "base"}
        told = self._calls.send("POST", "oauth2/token", grant | who, dict[str, object], None)
        self._token = Secret(told["access_token"])

    def call(self, verb: str, path: str, body: object = None) -> dict[str, object]:
        return self._calls.send(verb, path, body, dict[str, object], self._token)

    def delete(self, module: str, record_id: str) -> None:
        self.call("DELETE", f"{module}/{record_id}")

    def tie(self, module: str, ids: list[str]) -> None:
        """Create records in one call, whose stamps are mostly of one second."""
        requests = [
            {
                "url": f"{self._calls.version}/{module}",
                "method": "POST",
                "data": json.dumps({"id": one, "last_name": "Tie"}),
            }
            for one in ids
        ]
        self._calls.send("POST", "bulk", {"requests": requests}, object, self._token)

    def related(self, module: str, record_id: str, link: str, *fields: str) -> list[dict[str, str]]:
        if link == "email_addresses":
            told = self.call("GET", f"{module}/{record_id}?fields=email")["email"]
            return [{"id": entry["email_address_id"]} for entry in told]
        told = self.call("GET", f"{module}/{record_id}/link/{link}?fields={','.join(fields)}")
        return [{name: record[name] for name in fields} for record in told["records"]]

    def close(self) -> None:
        self._calls.close()


class Target(msgspec.Struct, kw_only=True):
    """A running server; `hands` do what the interface of the clients does not."""

    url: str
    name: str
    version: str
    hands: LegacyHands | RestHands
    api: Api = "auto"
    person: tuple[str, str] = ADMIN
    wide_text: bool = True  # characters of four bytes are kept

    @property
    def tells_lengths(self) -> bool:
        """v4, v4_1 and metadata tell how long a text may be."""
        return getattr(self.hands, "api", "v4") in ("v4", "v4_1")

    @property
    def custom_text(self) -> str:
        """A custom text field, where there is one."""
        return "primary_address_street" if self.name == "real" else "behavior_c"

    def keeps(self, text: str) -> bool:
        return self.wide_text or max(map(ord, text)) < 0x10000

    def connect(self, person: str = "", **options: object) -> Crm:
        user, password = PEOPLE[person] if person else self.person
        return connect(self.url, user, password, **{"api": self.api, "deadline_s": 20, **options})


@contextmanager
def emulator(profile: str, *options: str, protocol: str = "legacy") -> Iterator[str]:
    """Run the emulator as a process of its own; gives its address."""
    command = [sys.executable, "-m", "sugarcrm.emulator", "--protocol", protocol, "--port", "0"]
    with subprocess.Popen(
        [*command, "--profile", profile, *options], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()  # it keeps nothing, and a farewell takes half a second


PEOPLED = ("--leads", "40", "--contacts", "30", "--seed", "7")


class Emulators:
    """The emulators of a test process, each started when first asked for: one a product."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._urls: dict[str, str] = {}

    def url(self, profile: str, protocol: str) -> str:
        if profile not in self._urls:
            started = emulator(profile, *PEOPLED, protocol=protocol)
            self._urls[profile] = self._running.enter_context(started)
        return self._urls[profile]

    def close(self) -> None:
        self._running.close()


@contextmanager
def legacy(emulators: Emulators, profile: str, version: str, api: Api, **more: object):
    url = emulators.url(profile, "legacy")
    hands = LegacyHands(url, "v4" if api == "auto" else api, ADMIN)
    yield Target(url=url, name=profile, version=version, hands=hands, api=api, **more)
    hands.close()


@contextmanager
def rest(emulators: Emulators, profile: str, version: str, *, lists_deleted: bool):
    url = emulators.url(profile, "rest11")
    hands = RestHands(url, "v11", ADMIN, lists_deleted)
    yield Target(url=url, name=profile, version=version, hands=hands)
    hands.close()


@contextmanager
def real(_: Emulators, url: str, user: str, password: str) -> Iterator[Target]:
    """The server of whoever runs the tests."""
    person = (user, password)
    with closing(connect(url, user, password, deadline_s=20)) as client:
        info = client.server_info()
        service, _, version = info.dialect.partition("/")
        if service == "rest":
            hands = RestHands(url, version, person, lists_deleted=False)
            (made,) = client.create_many("Leads", [Draft(str(uuid4()), {"last_name": "Gone"})])
            hands.delete("Leads", made.kept_as or made.id)
            client.login()  # looks whether a deleted lead is listed
            hands.lists_deleted = client.capabilities.lists_deleted
        else:
            hands = LegacyHands(url, version, person)
    version = f"{info.product}-{info.version}"
    yield Target(url=url, name="real", version=version, hands=hands, person=person)
    hands.close()


Opened = Callable[[Emulators], AbstractContextManager[Target]]


SUGARS = (
    ("rest11", "sugarcrm-14.2", True),
    ("sugar-25.1", "sugarcrm-25.1", True),
    ("sugar-10.2", "sugarcrm-10.2", True),
    ("sugar-8.2", "sugarcrm-8.2", False),
)


def _emulated() -> dict[str, Opened]:
    found: dict[str, Opened] = {}

    def add(profile: str, version: str, *apis: Api, **more: object) -> None:
        for api in apis:
            found[f"{profile} {api}"] = partial(
                legacy, profile=profile, version=version, api=api, **more
            )

    add("suitecrm-7.14", "suitecrm-7.14", "auto", "v4", "v3", "v2_1", "v2")
    add("sugarcrm-ce-6.5", "sugarcrm-6.5", "auto", "v3", "v2_1", "v2", wide_text=False)
    for edition in ("6.5.25", "6.5.14", "6.5.0", "6.4", "6.3"):
        add(f"sugarcrm-ce-{edition}", f"sugarcrm-{edition}", "auto", wide_text=False)
    add("sugarcrm-ce-6.1", "sugarcrm-6.1", "v3", "v2_1", "v2", wide_text=False)
    add("sugarcrm-ce-6.0", "sugarcrm-6.0", "v2", wide_text=False)
    for profile, version, lists_deleted in SUGARS:
        found[profile] = partial(
            rest, profile=profile, version=version, lists_deleted=lists_deleted
        )
    return found


EMULATED = _emulated()
_BOTH_MODULES = {
    "suitecrm-7.14 auto",
    "sugarcrm-ce-6.5 auto",
    "sugarcrm-ce-6.1 v3",
    "sugarcrm-ce-6.0 v2",
    "rest11",
    "sugar-8.2",
}
LEADS_ONLY = EMULATED.keys() - _BOTH_MODULES


def _real() -> dict[str, Opened]:
    names = ("SUGARCRM_TEST_URL", "SUGARCRM_TEST_USER", "SUGARCRM_TEST_PASSWORD")
    url, user, password = (os.environ.get(name, "") for name in names)
    if not (url and user and password):
        return {}
    return {"real": partial(real, url=url, user=user, password=password)}


TARGETS = EMULATED | _real()
