"""A landing value as SQL of the contract's type: renames, constants, value maps, formats.

Belongs here: one value, from text (or the file's own type) to a typed column. Does not belong here: whether the value
is allowed (``judging``), or which formats a data set uses (its mapping file).
"""

from __future__ import annotations

from expansion_assets.sources.contracts import SQL_TYPES, Column
from expansion_assets.sources.landing import Incoming
from expansion_assets.sources.mapping import ColumnMapping
from expansion_assets.sources.sql import literal, quoted


def landing_value(mapping: ColumnMapping | None, incoming: Incoming) -> str:
    """SQL of the landing value of a column, as text or as the file's own type."""
    if mapping is None:
        return "null"
    if mapping.value is not None:
        return literal(mapping.value)
    if mapping.column not in incoming.columns:
        return "null"
    text = quoted(mapping.column)
    if mapping.values:
        cases = " ".join(f"when {literal(old)} then {literal(new)}" for old, new in mapping.values.items())
        text = f"case {text}::varchar {cases} else {text}::varchar end"
    return text


def typed(column: Column, text: str, mapping: ColumnMapping | None) -> str:
    """SQL that casts a landing value to the contract's type, or null where it does not parse."""
    if column.type == "string":
        return f"nullif(trim(({text})::varchar), '')"
    if mapping is not None and mapping.formats:
        formats = ", ".join(literal(item) for item in mapping.formats)
        parsed = f"try_strptime(({text})::varchar, [{formats}])"
        return _in_calendar(f"{parsed}::date" if column.type == "date" else parsed)
    if column.type == "timestamp":
        # Through timestamptz, because a plain cast drops an offset: +02:00 would be read as UTC.
        return _in_calendar(f"try_cast(({text})::varchar as timestamptz) at time zone 'UTC'")
    if column.type == "date":
        return _in_calendar(f"try_cast({text} as date)")
    if column.type == "integer":
        # 3.7 must not round to 4 in silence.
        number = f"try_cast({text} as double)"
        return f"case when {number} = floor({number}) then try_cast({number} as bigint) end"
    return f"try_cast({text} as {SQL_TYPES[column.type]})"


def _in_calendar(value: str) -> str:
    """SQL of a date or timestamp, null outside the years 1900 to 9999.

    ``infinity`` and years before the first window would fall in no window and be lost; later years overflow.
    """
    return f"case when year({value}) between 1900 and 9999 then {value} end"


def is_supplied(mapping: ColumnMapping | None, incoming: Incoming) -> bool:
    """Whether a column has a value from the file or a constant."""
    return mapping is not None and (mapping.value is not None or mapping.column in incoming.columns)
