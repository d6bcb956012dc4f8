"""MassUpdate: one change for many records, and adding people to target lists."""

from typing import Any

from sugarcrm.emulator.rest11 import saving
from sugarcrm.emulator.rest11.errors import missing_parameter
from sugarcrm.emulator.rest11.links import End
from sugarcrm.emulator.rest11.site import Call

CONTROLS = frozenset({"uid", "entire", "filter", "prospect_lists", "delete"})


def parameters(call: Call) -> tuple[list[str], dict[str, Any]]:
    """Give the ids and the parameters of a mass update.

    Raises:
        ApiError: there are none.
    """
    sent = call.request.body.get("massupdate_params")
    if not isinstance(sent, dict):
        raise missing_parameter("massupdate_params")
    ids = sent.get("uid")
    if not ids:
        raise missing_parameter("uid")
    return [str(i) for i in (ids if isinstance(ids, list) else [ids])], sent


def update_many(call: Call, module_name: str) -> dict[str, str]:
    """Set the same values on every record of `uid`, and put them on the target lists named."""
    module = call.enter(module_name)
    ids, sent = parameters(call)
    values = {name: value for name, value in sent.items() if name not in CONTROLS}
    lists = sent.get("prospect_lists") or []
    for record_id in ids:
        if values:
            saving.update(call, module, record_id, values)
        for list_id in lists if isinstance(lists, list) else [lists]:
            call.find(call.site.schema["ProspectLists"], str(list_id))
            End(call, module_name, record_id, "prospect_lists").connect(str(list_id))
    return {"status": "done"}


def delete_many(call: Call, module_name: str) -> dict[str, str]:
    """Delete every record of `uid`."""
    module = call.enter(module_name)
    for record_id in parameters(call)[0]:
        saving.delete(call, module, record_id)
    return {"status": "done"}
