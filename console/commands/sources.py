"""`sugarloop sources` and `sugarloop source`: who may send events over HTTP."""

from typing import Annotated

import typer

from console.answers import Answer, Table, answering, command_group
from console.exits import InputError, MissingError, RefusedError
from console.opening import opened
from console.sources import SourceError, Sources

Name = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits, hyphens.")]

listing = command_group("All sources that may send events over HTTP.")
group = command_group("Give and revoke the token of a source.")


@listing.command("sources")
@answering
def sources() -> Answer:
    """Show all sources; their tokens are shown once, when they are made."""
    with opened() as app:
        known = Sources(app.client).all()
    names = ("name", "created_at", "signs", "operator")
    rows = [(n, s.created_at, bool(s.sealed_secret), s.operator) for n, s in known.items()]
    data = [dict(zip(names, row, strict=True)) for row in rows]
    return Answer(data, (Table(("source", "made", "signs", "operator"), rows),))


@group.command("add")
@answering
def add(
    name: Name,
    sign: Annotated[
        bool, typer.Option("--sign", help="Also let it sign, as Standard Webhooks says.")
    ] = False,
    operator: Annotated[
        bool, typer.Option("--operator", help="Also let it start imports, syncs and programs.")
    ] = False,
) -> Answer:
    """Make a source, and show its token; it cannot be shown again."""
    with opened() as app:
        store = Sources(app.client, app.knobs.keys)
        if sign and not app.knobs.keys:
            raise RefusedError("no SUGARLOOP_KEY is set to encrypt signing secrets with")
        try:
            token = store.add(name, operator=operator)
            secret = store.let_sign(name) if sign else ""
        except SourceError as problem:
            raise InputError(str(problem)) from problem
    data = {"name": name, "token": token, **({"secret": secret} if secret else {})}
    text = [f"token   {token}", *([f"secret  {secret}"] if secret else [])]
    return Answer(data, (*text, "Keep it now: it cannot be shown again."))


@group.command("rotate")
@answering
def rotate(
    name: Name,
    finish: Annotated[
        bool, typer.Option("--finish", help="The sender uses the new one: drop the old one.")
    ] = False,
) -> Answer:
    """Give a source a new token; the old one is taken beside it until `--finish`."""
    with opened() as app:
        store = Sources(app.client, app.knobs.keys)
        try:
            if finish:
                dropped = store.drop_old(name)
                said = "The old one is turned away." if dropped else "There was no old one."
                return Answer({"name": name, "dropped": dropped}, (said,))
            token, secret = store.rotate(name)
        except SourceError as problem:
            raise RefusedError(str(problem)) from problem
    data = {"name": name, "token": token, **({"secret": secret} if secret else {})}
    text = [f"token   {token}", *([f"secret  {secret}"] if secret else [])]
    done = f"Give it to the sender, then run `sugarloop source rotate {name} --finish`."
    return Answer(data, (*text, "Keep it now: it cannot be shown again.", done))


@group.command("revoke")
@answering
def revoke(name: Name) -> Answer:
    """Turn a source away from now on."""
    with opened() as app:
        if not Sources(app.client).revoke(name):
            raise MissingError(f"there is no source {name!r}; `sugarloop sources` shows all")
    return Answer({"revoked": name}, (f"The source {name!r} is turned away.",))
