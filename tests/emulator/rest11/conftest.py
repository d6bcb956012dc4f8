"""One emulator for all tests that need nothing special of it."""

import pytest

from tests.emulated import emulator
from tests.emulator.rest11.asker import Asker

MODERN = ("--protocol", "rest11", "--profile", "rest11")


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rest11")
    with emulator(folder, *MODERN, "--leads", "120", "--contacts", "40") as one:
        yield one


@pytest.fixture(scope="session")
def crm(running):
    """An administrator, logged in."""
    return Asker(running.url).log_in()
