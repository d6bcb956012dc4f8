"""Filter operators: each makes a condition in SQL of an expression and its operands."""

from collections.abc import Callable, Sequence
from typing import Any

from sugarcrm.emulator.rest11.errors import invalid_parameter

Condition = tuple[str, list[Any]]
Convert = Callable[[Any], Any]


def escaped(value: Any) -> str:
    """Give a text in which LIKE sees no wildcards."""
    text = str(value)
    for character in "\\%_":
        text = text.replace(character, f"\\{character}")
    return text


def compared(sign: str) -> Callable[[str, Any, Convert], Condition]:
    """Make an operator of a comparison."""
    return lambda column, value, convert: (f"{column} {sign} ?", [convert(value)])


def like(pattern: str, negated: bool = False) -> Callable[[str, Any, Convert], Condition]:
    """Make an operator of a pattern, `*` standing for the text; several texts are alternatives."""

    def condition(column: str, value: Any, _convert: Convert) -> Condition:
        texts = value if isinstance(value, list) else [value]
        values: list[Any] = [pattern.replace("*", escaped(text)) for text in texts]
        tests = " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for _ in texts) or "0"
        return (f"({column} IS NULL OR NOT ({tests}))" if negated else f"({tests})"), values

    return condition


def equals(column: str, value: Any, convert: Convert) -> Condition:
    if value is None or value == "":
        return empty(column, value, convert)
    return f"{column} = ?", [convert(value)]


def not_equals(column: str, value: Any, convert: Convert) -> Condition:
    """Match records without a value, too."""
    if value is None or value == "":
        return not_empty(column, value, convert)
    return f"({column} IS NULL OR {column} != ?)", [convert(value)]


def one_of(column: str, value: Any, convert: Convert) -> Condition:
    values = [convert(item) for item in several(value, "$in")]
    return f"{column} IN ({', '.join('?' * len(values))})", values


def none_of(column: str, value: Any, convert: Convert) -> Condition:
    test, values = one_of(column, value, convert)
    return f"({column} IS NULL OR NOT {test})", values


def between(column: str, value: Any, convert: Convert) -> Condition:
    values = [convert(item) for item in several(value, "$between")]
    if len(values) != 2:
        raise invalid_parameter("$between requires an array with two values.")
    return f"{column} BETWEEN ? AND ?", values


def several(value: Any, name: str) -> Sequence[Any]:
    """Give the operands of an operator that takes a list."""
    if isinstance(value, dict):
        return list(value.values())
    if not isinstance(value, list):
        raise invalid_parameter(f"{name} requires an array")
    return value


def empty(column: str, _value: Any, _convert: Convert) -> Condition:
    return f"({column} IS NULL OR {column} = '')", []


def not_empty(column: str, _value: Any, _convert: Convert) -> Condition:
    return f"({column} IS NOT NULL AND {column} != '')", []


OPERATORS: dict[str, Callable[[str, Any, Convert], Condition]] = {
    "$equals": equals,
    "$not_equals": not_equals,
    "$in": one_of,
    "$not_in": none_of,
    "$gt": compared(">"),
    "$gte": compared(">="),
    "$lt": compared("<"),
    "$lte": compared("<="),
    "$starts": like("*%"),
    "$ends": like("%*"),
    "$contains": like("%*%"),
    "$not_contains": like("%*%", negated=True),
    "$between": between,
    "$is_null": lambda column, _value, _convert: (f"{column} IS NULL", []),
    "$not_null": lambda column, _value, _convert: (f"{column} IS NOT NULL", []),
    "$empty": empty,
    "$not_empty": not_empty,
}
