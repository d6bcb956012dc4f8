"""set_entry and set_entries."""

import re
from collections.abc import Iterator
from typing import Any

from sugarcrm.emulator import batches
from sugarcrm.emulator.answers import FatalError, NullError, no_access, no_targets
from sugarcrm.emulator.database import Row
from sugarcrm.emulator.reading import Reader, find
from sugarcrm.emulator.rights import may_save
from sugarcrm.emulator.saving import Saved, mark_deleted, save
from sugarcrm.emulator.schema import Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.values import truthy
from sugarcrm.emulator.written import php_text

SAFE_ID = re.compile(r"[a-zA-Z0-9_-]*")


def set_entry(call: Call, module_name: Any, values: Any, _track_view: Any) -> dict[str, Any]:
    """Create or change one record."""
    module = call.enter(module_name, writing=True)
    if values is None and call.dialect.null_list_creates:
        values = []
    sent = dict(pairs(call, values))
    record_id = sent.get("id")
    if call.dialect.checks_ids and isinstance(record_id, str) and not SAFE_ID.fullmatch(record_id):
        raise NullError
    before = existing(call, module, sent)
    if not may_save(call, module, sent, before):
        raise no_access()
    with call.database.together():
        saved = save(call, module, sent, before)
        if saved.deleted:
            mark_deleted(call, module, saved.id)
    call.records = 1
    answer: dict[str, Any] = {"id": sent["id"] if truthy(record_id) else saved.id}
    if call.dialect.echoes_fields:
        answer["entry_list"] = echo(call, module, sent, saved)
    return answer


def pairs(call: Call, values: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of every form that a name_value_list may have.

    Raises:
        FatalError: it is none of them (PHP 8).
    """
    if not isinstance(values, dict | list):
        if call.dialect.php_8 or call.dialect.null_list_creates:
            raise FatalError
        return
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, item in items:
        if isinstance(item, dict):
            name = str(item.get("name") or "")
            if not name and not call.dialect.php_8:
                raise FatalError
            yield name, item.get("value")
        elif isinstance(item, list):
            yield "", None
        else:
            yield str(key), item


def existing(call: Call, module: Module, sent: dict[str, Any]) -> Row | None:
    """Give the live record that `id` names, or None."""
    record_id = sent.get("id")
    return find(call, module, php_text(record_id)[:36]) if record_id else None


def echo(call: Call, module: Module, sent: dict[str, Any], saved: Saved) -> dict[str, Any]:
    """Give what the server says it wrote; if nothing was sent, everything it knows."""
    names = [n for n in sent if n] or list(module.fields)
    wanted = Reader(call, module, names).names
    held = {n: saved.held[n] for n in wanted if saved.held.get(n) is not None}
    return {name: {"name": name, "value": value} for name, value in held.items()}


def set_entries(call: Call, module_name: Any, records: Any) -> dict[str, Any]:
    """Create or change records one after the other; those written before a failure stay."""
    module = call.enter(module_name, writing=True)
    if not isinstance(records, dict | list):
        return {"ids": []}
    ids: list[str] = []
    for values in records.values() if isinstance(records, dict) else records:
        record_id = batches.save_one(call, module, batch_pairs(call, module, values))
        ids += [] if record_id is None else [record_id]
    call.records = len(ids)
    return {"ids": ids}


def batch_pairs(call: Call, module: Module, values: Any) -> dict[str, Any]:
    """Read one record of a batch; what is no list of values is an empty record.

    Raises:
        FatalError: it holds what PHP 8 stops at in this API version.
    """
    if not isinstance(values, dict | list):
        return {}
    keyed = isinstance(values, dict)
    if keyed and not call.dialect.keyed_batches:
        if call.dialect.php_8:
            raise FatalError
        return {}
    sent = dict(pairs(call, values))
    enums = any(name in module.fields and module.fields[name].type == "enum" for name in sent)
    if enums and call.dialect.fatal_enums_in_batches and call.dialect.php_8:
        raise FatalError
    return sent


def set_campaign_merge(_call: Call, targets: Any, campaign_id: Any) -> None:
    """Take note that a campaign's letters were merged: nothing that an answer shows.

    Raises:
        SugarError: there is no campaign, or no target.
    """
    if not truthy(campaign_id) or not isinstance(targets, list) or not targets:
        raise no_targets()
