"""Logic hooks of the emulated server: they change what is saved, after the client has sent it."""

import re
from collections.abc import Collection, Mapping
from typing import Any


def rewritten(values: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Give the fields that hooks change: telephone numbers to digits, other text to capitals."""
    texts = {name: values[name] for name in fields if isinstance(values.get(name), str)}
    changed = {name: _rewrite(name, text) for name, text in texts.items()}
    return {name: text for name, text in changed.items() if text != texts[name]}


def _rewrite(name: str, text: str) -> str:
    if name.startswith("phone"):
        return ("+" if text.lstrip().startswith("+") else "") + re.sub(r"\D", "", text)
    return text.upper()
