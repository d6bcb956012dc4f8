"""Whether a user may save what was sent, where a role reaches only the user's own records."""

from typing import Any

from sugarcrm.emulator.database import Row
from sugarcrm.emulator.schema import Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.users import owns
from sugarcrm.emulator.values import truthy


def may_save(call: Call, module: Module, sent: dict[str, Any], before: Row | None) -> bool:
    """Tell whether the user may make this change; *before* is None for a new record."""
    owner = owns(call.user, before) or takes_over(call, sent, before)
    if not call.user.may("edit", module.name, owner):
        return False
    deletes = truthy(sent.get("deleted"))
    return not deletes or call.user.may("delete", module.name, owner)


def takes_over(call: Call, sent: dict[str, Any], before: Row | None) -> bool:
    """Tell whether the record counts as the user's own by what was sent.

    The server asks once the values are set, so that whoever assigns a record to themselves owns
    it; SuiteCRM lets go of those only that were nobody's.
    Source: the published SugarBean::isOwner of SugarCRM CE 6.5 and SuiteCRM 7.
    """
    held = before is not None and before.get("assigned_user_id")
    if call.dialect.product == "suitecrm" and held:
        return False
    return bool(sent.get("assigned_user_id") == call.user.id)
