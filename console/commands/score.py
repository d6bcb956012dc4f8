"""`sugarloop score`: a person's behavioral score, and each fact that made it."""

from typing import Annotated

import typer

from console.answers import Answer, Table, answering, command_group
from console.exits import InputError
from console.opening import opened
from console.values import checked_address
from sync.score import explain
from sync.score import score as total
from workers.behaviour import drain

group = command_group("A person's behavioral score, and each fact that made it.")


@group.command("score")
@answering
def score(email: Annotated[str, typer.Argument(help="The address of a person.")]) -> Answer:
    """Show the score as it is now: behaviour that waits is added up first."""
    address = checked_address("email", email)
    if not address:
        raise InputError("email: it is empty")
    with opened() as app:
        drain(app)
        tallies = app.people.tallies([address])[address]
    lines, points = explain(tallies), total(tallies)
    data = {"email": address, "score": points, "facts": lines}
    headers = ("what", "which", "times", "points each", "points", "last")
    rows = [(x.kind, x.asset, x.count, x.points_each, x.points, x.last_at) for x in lines]
    text = (f"{address}: {points} points", *((Table(headers, rows),) if rows else ()))
    return Answer(data, text)
