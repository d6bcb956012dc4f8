"""What one push may write, and which records have anything to send."""

import msgspec

from sync.canonical import Catalogue, is_set
from sync.catalogue import Module
from sync.consent import CONSENT_FIELDS
from sync.match import Several
from sync.merge import Merge, Permission
from sync.records import Intent, Record, Theirs, differs_in
from sync.rules import Rules
from sync.setup import SyncSetup, permission
from workers.steps import Step


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a push: its module, columns, permissions, rules, and our user in SugarCRM.

    `by` is who pushes, as the history names it. `several` chooses among records that share an
    address. `clock_ahead_s` is SugarCRM's clock less ours.
    """

    module: Module
    list_id: str
    columns: tuple[str, ...]
    catalogue: Catalogue
    permission: Permission
    add_new: bool
    deletes: bool
    our_user_id: str
    by: str
    rules: Rules = Rules()
    several: Several = "ask"
    clock_ahead_s: float = 0.0


class Outgoing(msgspec.Struct, frozen=True):
    """A record as read, and with columns that it never had; SugarCRM's side; what the merge
    decided for it, and the intents known before.
    """

    record: Record
    whole: Record
    theirs: Theirs
    merged: Merge
    ring: tuple[Intent, ...]


def scope_of(here: Step, setup: SyncSetup) -> Scope:
    """Translate the setup of the step's list into limits; read-only fields never go out."""
    module = here.module
    catalogue = here.app.fields.catalogue(module)
    allowed = permission(setup, here.of.synced)
    writable = frozenset(name for name, field in catalogue.items() if field.writable)
    return Scope(
        module=module,
        list_id=here.of.id,
        columns=here.of.synced,
        catalogue=catalogue,
        permission=Permission(push=allowed.push & writable, pull=allowed.pull),
        add_new=setup.push.add_new,
        deletes=setup.push.delete,
        our_user_id=here.app.connector.active().user_id,
        by=here.by,
        rules=setup.rules,
        several=setup.several,
        clock_ahead_s=here.clock_ahead_s,
    )


def creation_values(scope: Scope, record: Record) -> dict[str, str]:
    """What a creation carries: every filled column that SugarCRM lets us write.

    A flag that is not set is left out: SugarCRM keeps it with the address, which others may have,
    and theirs would be cleared.
    """
    return {
        column: value
        for column, value in record.values.items()
        if value and column in scope.columns and _is_writable(scope, column)
        if column not in CONSENT_FIELDS or is_set(value)
    }


def _is_writable(scope: Scope, column: str) -> bool:
    return column in scope.catalogue and scope.catalogue[column].writable


def sendable(scope: Scope, record: Record) -> dict[str, str]:
    """What would go out of a record, as far as the list knows."""
    if record.crm_id is None:
        return creation_values(scope, record)
    return {f: record.values[f] for f in scope.permission.push if _waits(record, f)}


def _waits(record: Record, field: str) -> bool:
    return field in record.values and field not in record.asked and differs_in(record, field)


def wants_push(scope: Scope, record: Record, ring: tuple[Intent, ...]) -> bool:
    """Whether reading this record's row is worth a call: a permitted field differs from what
    was agreed, or an earlier write was never seen to have landed. What a person is asked about
    waits for the answer.
    """
    if any(not intent.settled for intent in ring):
        return True
    return any(_waits(record, field) for field in scope.permission.push)
