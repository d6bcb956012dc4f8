"""SugarCRM's types of fields, by what their values are like."""

WHOLE = frozenset({"int", "integer", "tinyint", "smallint", "long", "uint"})
FRACTIONS = frozenset({"decimal", "decimal2", "currency", "float", "double"})
NUMBERS = WHOLE | FRACTIONS
MOST_DIGITS = 400  # of a number that some column holds: the largest double has 309
INSTANTS = frozenset({"datetime", "datetimecombo"})
MOMENTS = INSTANTS | {"date"}
