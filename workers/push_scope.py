"""What one push may write, and which records have anything to send."""

import msgspec

from sync.canonical import Catalogue
from sync.catalogue import Module
from sync.merge import Merge, Permission
from sync.records import Intent, Record
from sync.setup import SyncSetup, permission
from workers.steps import Step


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a push: its module, columns, permissions, and our user in SugarCRM."""

    module: Module
    list_id: str
    columns: tuple[str, ...]
    catalogue: Catalogue
    permission: Permission
    add_new: bool
    our_user_id: str


class Outgoing(msgspec.Struct, frozen=True):
    """A record as read, and with columns that it never had; what the merge decided for it, and
    the intents known before.
    """

    record: Record
    whole: Record
    merged: Merge
    ring: tuple[Intent, ...]


def scope_of(here: Step, setup: SyncSetup) -> Scope:
    """Translate the setup of the step's list into limits; read-only fields never go out."""
    module = here.module
    catalogue = here.app.fields.catalogue(module)
    allowed = permission(setup, here.of.columns)
    writable = frozenset(name for name, field in catalogue.items() if field.writable)
    return Scope(
        module=module,
        list_id=here.of.id,
        columns=here.of.columns,
        catalogue=catalogue,
        permission=Permission(push=allowed.push & writable, pull=allowed.pull),
        add_new=setup.push.add_new,
        our_user_id=here.app.connector.active().user_id,
    )


def wants_push(scope: Scope, record: Record, ring: tuple[Intent, ...]) -> bool:
    """Whether reading this record's row is worth a call: a permitted field differs from what
    was agreed, or an earlier write was never seen to have landed.
    """
    if any(not intent.settled for intent in ring):
        return True
    return any(
        field not in record.base or record.base[field].ours != record.values[field]
        for field in scope.permission.push
        if field in record.values
    )
