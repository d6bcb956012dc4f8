"""Why an event was refused: the field and its allowed form, never the value."""

import re

# "Expected `str`, got `int` - at `$.data.email`", or "... - at `key` in `$.fields`"
_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `([^`]*)`")
# msgspec quotes the value here, and a value may be a person's.
_ALLOWED = {
    "specversion": 'must be "1.0"',
    "data.module": 'must be "Leads" or "Contacts"',
    "data.email": "must be one address, such as ana@example.com",
}


class BadEventError(ValueError):
    """An event is not of the allowed form. `field` is "" when it is about the whole."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else f"the event {problem}")
        self.field, self.problem = field, problem

    def at(self, place: str) -> "BadEventError":
        """The same refusal, of an event inside a batch."""
        return BadEventError(f"{place}.{self.field}" if self.field else place, self.problem)


def refused(problem: Exception, inside: str = "") -> BadEventError:
    """Turn what the JSON library said into a refusal; *inside* names the part it looked at."""
    said = str(problem)
    if isinstance(problem, RecursionError):
        return BadEventError(inside, "is nested too deep")
    if isinstance(problem, UnicodeError):
        return BadEventError(inside, "must be text in UTF-8")
    place = _PLACE.search(said)
    field = _join(inside, place[1] if place else "")
    if missing := _MISSING.match(said):
        return BadEventError(_join(field, missing[1]), "is required")
    said = said[: place.start()] if place else said
    if said.startswith("Invalid enum value") or "matching regex" in said:
        return BadEventError(field, _ALLOWED.get(field, "is not an allowed value"))
    return BadEventError(field, _as_rule(said))


def _as_rule(said: str) -> str:
    if said.startswith("Expected "):
        return "must be " + said.removeprefix("Expected ").replace("`", "")
    if said.startswith("JSON is malformed") or said == "Input data was truncated":
        return f"is no valid JSON ({said.removeprefix('JSON is malformed: ')})"
    return said[:1].lower() + said[1:]


def _join(outer: str, inner: str) -> str:
    return f"{outer}.{inner}".strip(".") if not inner.startswith("[") else outer + inner
