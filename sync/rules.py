"""Who wins a field that both sides changed: a rule for the list, and others for single fields."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Rule = Literal["sugarcrm", "list", "recent", "ask"]
Blanks = Literal["value", "any"]

# As people read them.
RULE_NAMES: Mapping[Rule, str] = {
    "sugarcrm": "SugarCRM wins",
    "list": "list wins",
    "recent": "most recent",
    "ask": "ask",
}
BLANK_NAMES: Mapping[Blanks, str] = {
    "value": "a value beats a blank",
    "any": "a blank counts as a value",
}


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`default` holds for every field that `fields` does not name.

    `blanks` "value": where one side emptied what the other changed, the value stands, whatever
    the rule. An edit that empties a field which the other side left alone is an edit like any.
    """

    default: Rule = "sugarcrm"
    fields: dict[str, Rule] = {}
    blanks: Blanks = "value"

    def of(self, field: str) -> Rule:
        """The rule that holds for `field`."""
        return self.fields.get(field, self.default)
