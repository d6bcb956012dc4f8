"""Real processes: the Procfile's lines, the embedded server, a SugarCRM stand-in."""

import pytest

from console.demo.stage import ADMIN, ADMIN_PASSWORD, stage


@pytest.fixture
def running(tmp_path, request):
    """A stage with an active connector; parametrise with options of the emulator."""
    options = getattr(request, "param", ("--leads", "300", "--seed", "3", "--latency-ms", "40"))
    with stage(tmp_path, *options) as set_up:
        words = ("connector", "activate", "--url", set_up.crm_url, "--password-stdin")
        said = set_up.sugarloop(*words, "--username", ADMIN, stdin=ADMIN_PASSWORD)
        assert said.exit_code == 0, said.talk
        yield set_up
