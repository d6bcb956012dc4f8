"""A look at the habits of the server that the connector is connected to."""

from datetime import UTC, datetime

import msgspec

from sugarcrm.probes import find_out
from sync.findings import Findings
from workers.app import App


def look(app: App) -> Findings | None:
    """Find out what the server does with what it is sent, and go by that from now on.

    Raises:
        CrmError: nothing could be found out now.
    """
    connection = app.connector.active()
    # A client that goes by what was found earlier would find the same again.
    crm = app.connect_to(msgspec.structs.replace(connection, findings=None))
    try:
        findings = find_out(crm, lambda: datetime.now(UTC))
    finally:
        crm.close()  # a token that all processes share outlives it
    if findings is not None:
        app.connector.note_findings(connection, findings)
    return findings
