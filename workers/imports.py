"""The first import of a module: a list that fills, in parts side by side."""

from collections.abc import Sequence

import dramatiq
import msgspec
import structlog

from events import ListImportRequested
from store.lists import ListExistsError
from store.records import FILLED_BY, RunNotes
from sugarcrm.crm import Page, Position
from sync.catalogue import Module
from sync.failure import Permanent
from sync.following import read_fields
from sync.identity import slug
from sync.lists import IMPORT_TITLES, MarketingList
from sync.merge import Permission
from sync.runs import ID_PARTS, Run, first_phase, part_bounds
from sync.setup import permission as permission_of
from workers.app import App, app
from workers.catalogues import default_columns, look_at_columns, read_catalogue
from workers.consent import CONSENT_AT
from workers.intakes import intake_for
from workers.pages import read_ahead
from workers.places import ENDED
from workers.steps import Step, now_text, send, step
from workers.take_in import take_in
from workers.turns import await_turn, begin

log = structlog.get_logger(__name__)


@dramatiq.actor(queue_name="sync", actor_name="start_import")
def start_import(journal_id: str) -> None:
    """Make the list and start its import; a second delivery finds both and changes nothing."""
    begin_import(app(), journal_id)


@dramatiq.actor(queue_name="sync", actor_name="import_part")
def import_part(run_id: str, part: int) -> None:
    """Read on in one part of the id space; a second delivery goes on where the first committed."""
    read_part(app(), run_id, part)


def begin_import(app: App, journal_id: str) -> None:
    """Create or widen the list of a module, and start an import run for it.

    Raises:
        Permanent: the connector is not active, or a column is no field of the module.
    """
    request = app.journal.read(journal_id).envelope.event(ListImportRequested)
    known = app.runs.find(f"import-{journal_id}")
    if known and not known.active:
        return  # delivered again after it ran, or was folded
    await_turn(app, _run_of(journal_id, slug(IMPORT_TITLES[request.module])))
    crm = app.crm()
    catalogue = read_catalogue(app, request.module)
    columns = tuple(request.columns) or default_columns(catalogue)
    unknown = [column for column in columns if column not in catalogue]
    if unknown:
        raise Permanent(f"columns: {', '.join(unknown)} are no fields of {request.module}")
    of = look_at_columns(app, _list_for(app, request.module, columns))
    run = msgspec.structs.replace(_run_of(journal_id, of.id), total=crm.count(request.module))
    if not begin(app, run):
        return
    app.runs.remember(run.id, "began_at", crm.server_info().gmt_time)
    app.runs.remember(run.id, "columns", ",".join(of.synced))
    for part in range(len(ID_PARTS)):
        send("import", run.id, part)


def _run_of(journal_id: str, list_id: str) -> Run:
    return Run(
        id=f"import-{journal_id}",
        list=list_id,
        kind="import",
        phase=first_phase("import"),
        trigger=journal_id,
        started_at=now_text(),
        progressed_at=now_text(),
    )


def _list_for(app: App, module: Module, columns: Sequence[str]) -> MarketingList:
    title = IMPORT_TITLES[module]
    new = MarketingList(
        id=slug(title), title=title, module=module, columns=tuple(columns), created_at=now_text()
    )
    try:
        app.lists.create(new)
    except ListExistsError:
        return app.lists.widen(new.id, columns)
    return new


def read_part(app: App, run_id: str, part: int) -> None:
    """Page through one part of the ids and take the rows in; the last part ends the import."""
    with step(app, run_id, "import", part=str(part)) as here:
        if here is None:
            return
        place = here.place(f"part{part}")
        if place != ENDED and not _read_pages(here, part, place):
            here.go_on(part)
            return
        _end_if_last(here)


def _read_pages(here: Step, part: int, place: str) -> bool:
    """Take in page after page from `place` on; False when time was up before the end."""
    low, high = part_bounds(part)
    crm, count = here.app.crm(), here.app.knobs.page_rows
    fields = read_fields(here.module, here.of.synced)

    def fetch(after: Position | None) -> Page:
        return crm.by_id_range(here.module, fields, after.id if after else low, high, count)

    intake = intake_for(here, add_new=True, permission=_allowed(here))
    intake = msgspec.structs.replace(intake, asked_for=True)
    for page in read_ahead(fetch, Position("", place) if place else None):
        if not here.goes_on():
            return False
        here.renew()
        reached = page.after.id if page.after else ENDED
        places = {f"place:part{part}": reached, "progressed_at": now_text()}
        notes = RunNotes(run_id=here.run.id, set=places)
        take_in(intake, page.rows, notes=notes, fence=here.fence)
    return True


def _allowed(here: Step) -> Permission | None:
    """What an import may write into a list that is set up to sync: what a pull may, and what was
    never filled. The first import fills everything.
    """
    if here.of.setup is None:
        return None
    filled = here.records.state("filled").split(",")
    pulled = permission_of(here.of.setup, here.of.synced)
    return Permission(push=pulled.push, pull=pulled.pull | set(here.of.synced) - set(filled))


def _end_if_last(here: Step) -> None:
    """End this phase once all parts have ended. The last two may both ask for it: one does it."""
    if all(here.place(f"part{part}") == ENDED for part in range(len(ID_PARTS))):
        here.finish_phase()


def conclude_import(here: Step) -> None:
    """Note from when on the list is to be pulled, and which columns are filled.

    A list that was pulled before goes on from there: an import sees no deletions. A column that
    was added while it went on is not filled: pages before did not have it.
    """
    began = here.place("began_at")
    cursor, consent = (here.records.state(at) or began for at in ("cursor_at", CONSENT_AT))
    filled, before = still_there(here, here.place("columns")), here.records.state("filled")
    new = set(filled.split(",")) - set(before.split(",")) if before else set()
    by = {f"{FILLED_BY}{column}": here.run.id for column in sorted(new)}
    state = {"cursor_at": cursor, CONSENT_AT: consent, "filled": filled, **by}
    here.records.commit(fence=here.fence, state=state)


def still_there(here: Step, columns: str) -> str:
    """Those of the columns that nobody removed meanwhile: added again, they are to be filled."""
    present = here.app.lists.get(here.of.id).columns
    return ",".join(column for column in columns.split(",") if column in present)
