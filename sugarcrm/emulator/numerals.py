"""Numbers as the API writes them."""

import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sugarcrm.emulator.schema import Field


def shown_number(field: Field) -> Callable[[Any], str]:
    """Make the function that writes a number of this field."""
    if field.type == "float" and field.custom:
        places = field.precision or 8
        return lambda v: f"{struct.unpack('f', struct.pack('f', v))[0]:.{places}f}"
    if field.precision is not None:
        return shown_decimal(field, field.precision)
    if field.type == "currency":
        return lambda value: f"{value:.6f}"
    return lambda value: str(int(value)) if float(value).is_integer() else str(value)


def shown_decimal(field: Field, places: int) -> Callable[[Any], str]:
    """Make the function that writes a decimal; the largest that fits is told exactly."""
    largest = Decimal(10) ** (int(str(field.length or 18)) - places) - Decimal(1).scaleb(-places)

    def show(value: Any) -> str:
        if abs(value) >= float(largest):
            return f"{largest.copy_sign(Decimal(value)):f}"
        return f"{value + 0.0:.{places}f}"

    return show
