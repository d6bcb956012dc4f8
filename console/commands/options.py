"""Options that several commands take."""

from typing import Annotated

import typer

Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is over.")]
Timeout = Annotated[float, typer.Option(min=0, help="With --wait: at most so many seconds.")]
ListName = Annotated[str, typer.Argument(metavar="LIST", help="Id or title of a list.")]
Where = Annotated[
    list[str] | None,
    typer.Option(help="A condition: field=value, or with != ~ >= <=. May be given several times."),
]
Schedule = Annotated[
    str,
    typer.Option(
        help='"daily 05:00,17:00", "weekly mon,thu 05:00", "monthly last 05:00"; none ends it.'
    ),
]
Start = Annotated[
    str,
    typer.Option(
        help="Not before this day or moment: 2026-11-03, 2026-11-03T05:00; none: no start."
    ),
]
Zone = Annotated[str, typer.Option(help="Time zone, such as Europe/Paris; else the default zone.")]
