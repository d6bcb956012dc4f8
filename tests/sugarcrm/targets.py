"""The servers that the contract is held against; a real one joins by an entry here."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sugarcrm.connect import connect
from sugarcrm.crm import Crm
from sugarcrm.profiles import ApiVersion
from sugarcrm.secret import Secret
from sugarcrm.service import ask_login
from sugarcrm.transport import Transport
from tests.sugarcrm.people import PEOPLE, password_digest


class Target:
    """A running server, and how to do what `Crm` has no call for: delete, look at links."""

    def __init__(self, url: str, profile: str, api: ApiVersion = "v4_1") -> None:
        self.url, self.profile, self.api = url, profile, api
        self._transport = Transport(url, deadline_s=20, connections=1)
        user, password = PEOPLE["admin"]
        login = ask_login(self._transport, api, user, password_digest(password))
        self._session = Secret(login.id)

    def connect(self, person: str = "admin", **options: object) -> Crm:
        user, password = PEOPLE[person]
        return connect(self.url, user, password, **{"deadline_s": 20, **options})

    def call(self, method: str, *args: object) -> object:
        return self._transport.post(self.api, method, [self._session, *args], object)

    def delete(self, module: str, record_id: str) -> None:
        self.save(module, id=record_id, deleted=1)

    def save(self, module: str, **values: object) -> str:
        pairs = [{"name": name, "value": value} for name, value in values.items()]
        return self.call("set_entry", module, pairs)["id"]

    def related(self, module: str, record_id: str, link: str, *fields: str) -> list[dict[str, str]]:
        found = self.call("get_relationships", module, record_id, link, "", fields, [], 0)
        lists = [entry["name_value_list"] for entry in found["entry_list"]]
        return [{name: pair["value"] for name, pair in pairs.items()} for pairs in lists]

    def close(self) -> None:
        self._transport.close()


@contextmanager
def emulator(profile: str, *options: str) -> Iterator[Target]:
    """Run the emulator as a process of its own."""
    command = [sys.executable, "-m", "sugarcrm.emulator", "--protocol", "legacy", "--port", "0"]
    with subprocess.Popen(
        [*command, "--profile", profile, *options], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            target = Target(process.stdout.readline().strip(), profile)
            yield target
            target.close()
        finally:
            process.terminate()


def emulated(profile: str) -> Callable[[], AbstractContextManager[Target]]:
    return lambda: emulator(profile, "--leads", "40", "--contacts", "30", "--seed", "7")


TARGETS = {"emulated suitecrm-7.14": emulated("suitecrm-7.14")}
