"""What may happen to the rows that a step takes in."""

from sync.merge import Permission
from sync.setup import permission as permission_of
from workers.lifting import lifted_there
from workers.meeting import holders_of
from workers.restricting import restrict_others
from workers.steps import Step
from workers.take_in import Intake


def pull_intake(here: Step) -> Intake:
    """What the list's setup lets come in."""
    setup = here.of.effective_setup
    allowed = permission_of(setup, here.of.synced)
    return intake_for(here, add_new=setup.pull.add_new, permission=allowed)


def intake_for(here: Step, *, add_new: bool, permission: Permission | None = None) -> Intake:
    """What may come in beside the setup; without `permission`, every column, as in an import."""
    setup = here.of.effective_setup
    pushed = permission_of(setup, here.of.synced).push
    everything = Permission(push=pushed, pull=frozenset(here.of.synced))
    return Intake(
        of=here.of,
        records=here.records,
        catalogue=here.app.fields.catalogue(here.module),
        permission=permission or everything,
        add_new=add_new,
        our_user_id=here.app.connector.active().user_id,
        by=here.by,
        kept_out=here.app.suppression.among,
        suppression_changes=here.app.suppression.changes,
        restricted=lambda said, ids: restrict_others(
            here.app, said, here.by, {(here.of.id, record_id) for record_id in ids}
        ),
        lifted=lambda changes: lifted_there(here.app, here.of.id, changes),
        healing=frozenset(here.of.mapped.healing),
        rules=setup.rules,
        clock_ahead_s=here.clock_ahead_s,
        holders=lambda addresses: holders_of(here.app.crm(), here.module, addresses, setup.several),
    )
