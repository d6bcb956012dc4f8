"""A throw-away installation for a benchmark: its own server, emulator and workers."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

from store.connector import Connection
from store.embedded import EmbeddedValkey
from workers.app import App
from workers.settings import load

ROOT = Path(__file__).parent.parent
USERNAME, PASSWORD = "admin", "Adm1n!pass"


@contextmanager
def server() -> Iterator[dict[str, str]]:
    """Run a Valkey as in production (appendfsync always); give the settings for it."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder)) as valkey:
        yield {
            "REDIS_URL": valkey.url,
            "SUGARLOOP_KEY": Fernet.generate_key().decode(),
            "SUGARLOOP_LOG_LEVEL": "warning",
        }


@contextmanager
def emulator(leads: int) -> Iterator[str]:
    """Run a SugarCRM with `leads`; give its address."""
    command = [sys.executable, "-m", "sugarcrm.emulator", "--protocol", "legacy"]
    command += ["--profile", "suitecrm-7.14", "--port", "0", "--leads", str(leads), "--seed", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def application(environ: dict[str, str], url: str) -> App:
    """The product's own objects, connected to the emulator at `url`."""
    import redis

    knobs = load(environ)
    app = App(knobs, redis.Redis.from_url(knobs.redis_url))
    sealed = app.connector.seal(PASSWORD)
    connection = Connection(
        state="active", url=url, username=USERNAME, sealed_password=sealed, user_id="1"
    )
    app.connector.put(connection)
    return app


@contextmanager
def workers(environ: dict[str, str], module: str, *options: str) -> Iterator[None]:
    """Run `dramatiq MODULE OPTIONS` for the block."""
    command = [str(Path(sys.executable).with_name("dramatiq")), module, *options]
    variables = {k: v for k, v in os.environ.items() if not re.match("SUGARLOOP_|REDIS_URL", k)}
    with subprocess.Popen(  # noqa: S603
        command,
        env=variables | environ,
        cwd=ROOT,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
