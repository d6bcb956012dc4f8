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
    typer.Option(help='"daily 05:00,17:00", "weekly mon,thu 05:00", "monthly last 05:00".'),
]
Start = Annotated[str, typer.Option(help="No slot before this day or instant.")]
Zone = Annotated[str, typer.Option(help="IANA time zone of the schedule.")]
