"""`sugarloop demo`: the tour on sample data."""

import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

from console import terminal
from console.answers import Answer, answering, command_group
from console.commands.up import wait_for_stop
from console.demo.far_end import FarEnd
from console.demo.people import ANA
from console.demo.report import Report, answer
from console.demo.stage import Stage, StageError, stage
from console.demo.story import CHAPTERS
from console.demo.tour import Tour

group = command_group("The whole story on sample data, with a report.")
_CONTACTS_IN_TEN = 3


@group.command("demo")
@answering
def demo(
    records: Annotated[
        int, typer.Option(min=50, max=100_000, help="Sample leads and contacts.")
    ] = 400,
    protocol: Annotated[
        Literal["legacy", "rest11"], typer.Option(help="What the stand-in SugarCRM speaks.")
    ] = "legacy",
    seed: Annotated[int, typer.Option(help="Makes other people, the same each time.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave all running until Ctrl-C.")] = False,
) -> Answer:
    """Walk through everything on sample data, and report what happened."""
    contacts = records * _CONTACTS_IN_TEN // 10
    options = [
        "--protocol",
        protocol,
        "--leads",
        str(records - contacts),
        "--contacts",
        str(contacts),
    ]
    options += ["--seed", str(seed), "--latency-ms", "30"]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sugarloop-demo-") as folder:
        terminal.say("starting Redis, a SugarCRM stand-in, and every line of the Procfile")
        with stage(Path(folder), *options) as set_up:
            report = _walk(set_up, began)
            if keep:
                _leave_running(set_up)
    return answer(report)


def _walk(set_up: Stage, began: float) -> Report:
    with closing(FarEnd(set_up.crm_url)) as far_end:
        before, mark = far_end.held(), len(set_up.calls())
        tour = Tour(set_up, far_end, terminal.say)
        for title, chapter in CHAPTERS:
            tour.begin(title)
            try:
                chapter(tour)
            except (LookupError, TypeError, ValueError, StageError) as problem:
                # A chapter that finds nothing to go on with has failed; the others still count.
                tour.check("the chapter came to its end", False, repr(problem))
        if not all(finding.ok for finding in tour.findings):
            terminal.say("The last lines of the processes:")
            for line in set_up.output:
                terminal.say(line)
        return Report(
            ok=all(finding.ok for finding in tour.findings),
            seconds=time.monotonic() - began,
            before=before,
            after=far_end.held(),
            lead=far_end.lead_of(ANA),
            calls=dict(Counter(str(call["method"]) for call in set_up.calls()[mark:])),
            findings=tuple(tour.findings),
        )


def _leave_running(set_up: Stage) -> None:
    terminal.say(f"Left running. SugarCRM: {set_up.crm_url}, intake: {set_up.web_url}/events")
    terminal.say("Other commands find it with:")
    for name in ("REDIS_URL", "SUGARLOOP_HOME"):
        terminal.say(f"  export {name}={set_up.env[name]}")
    wait_for_stop()
