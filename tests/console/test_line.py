"""A service manager runs one line of the Procfile, and stops it by its process id."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import answers, environ, free_port, wait_until

SUGARLOOP = str(Path(sys.executable).with_name("sugarloop"))


def test_the_line_takes_the_place_of_the_command(redis_url, tmp_path):
    port = free_port()
    env = environ(REDIS_URL=redis_url, SUGARLOOP_HOME=str(tmp_path), SUGARLOOP_WEB_PORT=str(port))
    command = [SUGARLOOP, "line", "web"]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "it does not answer")
        process.send_signal(signal.SIGTERM)
        process.wait(20)

    wait_until(lambda: not answers(f"http://127.0.0.1:{port}/readyz"), "something is left behind")


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        pytest.param(["line", "mail"], {}, "none of web, realtime", id="no_such_line"),
        pytest.param(
            ["line", "clock"], {"SUGARLOOP_PAGE_ROWS": "x"}, "SUGARLOOP_PAGE_ROWS", id="a_setting"
        ),
    ],
)
def test_what_is_wrong_is_named_before_anything_starts(redis_url, words, variables, said):
    env = environ(REDIS_URL=redis_url, **variables)

    done = subprocess.run(
        [SUGARLOOP, *words], env=env, capture_output=True, text=True, timeout=20, check=False
    )

    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
