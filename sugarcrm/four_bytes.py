"""Characters of four bytes, such as emoji, for servers that do not keep them.

Such a server puts "????" in their place, or cuts the text off there (measured), so they are left
out of what is sent.
"""

import re
from collections.abc import Sequence

from sugarcrm.crm import Draft

_FOUR_BYTES = re.compile(r"[\U00010000-\U0010ffff]")


def without(text: str) -> str:
    """Leave them out of `text`."""
    return _FOUR_BYTES.sub("", text)


def left_out(
    drafts: Sequence[Draft], needed: frozenset[str] | None
) -> tuple[list[Draft], dict[str, str]]:
    """Leave them out of every value; gives the drafts to send, and the refusals by id.

    A field that would be emptied is refused if it is `needed`; None: each is.
    """
    kept: list[Draft] = []
    refused: dict[str, str] = {}
    for draft in drafts:
        values = {name: without(value) for name, value in draft.values.items()}
        emptied = [
            name for name, value in draft.values.items() if value and not values[name].strip()
        ]
        problems = [name for name in emptied if needed is None or name in needed]
        if problems:
            refused[draft.id] = (
                f"{', '.join(problems)}: nothing but characters that this server does not keep,"
                " such as emoji"
            )
        else:
            kept.append(Draft(draft.id, values))
    return kept, refused
