"""`sugarloop import`: all leads or all contacts, into a list of their own."""

from typing import Annotated

import typer

from console.answers import Answer, answering, command_group
from console.columns import catalogue_of, check_columns, split
from console.commands.fields import module_named
from console.commands.options import Timeout, Wait
from console.opening import opened
from console.waiting import run_answer, wait_for_run
from events import ListImportRequested

group = command_group("Import all leads or all contacts into a list.")


@group.command("import")
@answering
def import_all(
    what: Annotated[str, typer.Argument(metavar="leads|contacts", help="What to import.")],
    columns: Annotated[str, typer.Option(help="Fields of SugarCRM, apart by commas, or all.")] = "",
    wait: Wait = False,
    timeout: Timeout = 0.0,
) -> Answer:
    """Import all leads or all contacts; without columns, those with a usage and custom ones.

    Importing again adds columns to the list, and brings in who is new.
    """
    module = module_named(what, "what to import")
    with opened() as app:
        app.connector.active()
        chosen = tuple(catalogue_of(app, module)) if columns == "all" else split(columns)
        check_columns(app, module, chosen)
        request = ListImportRequested(module=module, columns=chosen)
        receipt = app.producer.publish(request, source="cli")
        run_id = f"import-{receipt.id}"
        if wait:
            return run_answer(wait_for_run(app, run_id, receipt.id, timeout))
    said = f"The import of all {module.lower()} was requested; `sugarloop lists` shows it."
    return Answer({"event": receipt.id, "run": run_id}, (said,))
