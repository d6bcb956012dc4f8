"""The report of the demo: what SugarCRM holds before and after, and each finding."""

from collections.abc import Sequence

import msgspec

from console.answers import Answer, Table
from console.demo.far_end import Held
from console.demo.tour import Finding
from console.exits import DONE, FAILED


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo saw."""

    ok: bool
    seconds: float
    before: Held
    after: Held
    calls: dict[str, int]
    lead: dict[str, str]
    findings: tuple[Finding, ...]


def answer(report: Report) -> Answer:
    """Show the report; a demo in which anything failed exits with 1."""
    held = [
        (name, getattr(report.before, name), getattr(report.after, name)) for name in Held._fields
    ]
    failed = [finding for finding in report.findings if not finding.ok]
    verdict = f"{len(report.findings) - len(failed)} of {len(report.findings)} claims held"
    parts: tuple[str | Table, ...] = (
        "\nWhat SugarCRM holds",
        Table(("", "before", "after"), held),
        "\nThe lead that the first form made",
        Table(("field", "value"), list(report.lead.items())),
        "\nWhat Sugarloop asked of it",
        Table(("call", "times"), sorted(report.calls.items())),
        "\nWhat happened",
        Table(("step", "claim", "held", "seen"), _rows(report.findings)),
        f"\n{verdict}, in {report.seconds:.0f} s.",
        *(f"FAILED: {finding.step}: {finding.claim} ({finding.seen})" for finding in failed),
    )
    return Answer(report, parts, DONE if report.ok else FAILED)


def _rows(findings: Sequence[Finding]) -> list[tuple[str, str, str, str]]:
    rows, step = [], ""
    for finding in findings:
        shown = "" if finding.step == step else finding.step
        step = finding.step
        rows.append((shown, finding.claim, "yes" if finding.ok else "NO", finding.seen[:60]))
    return rows
