"""A landing value as SQL of the contract's type: renames, constants, value maps, dates, zones, numbers.

Belongs here: one value, from text (or the file's own type) to a typed column. Does not belong here: whether the value
is allowed (``judging``), which formats a data set uses (its mapping file), which rows are read (``picking``).
What does not parse becomes null, and ``judging`` sets its row aside: nothing is guessed.
"""

from __future__ import annotations

import re

from expansion_assets.sources.contracts import SQL_TYPES, Column
from expansion_assets.sources.landing import Incoming
from expansion_assets.sources.mapping import ColumnMapping, previous_column
from expansion_assets.sources.sql import literal, quoted

_PER_SECOND = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}
# An offset or Z behind a time of day; a bare date ends in -dd too, hence the colon before it.
_HAS_OFFSET = r":\d{2}(\.\d+)?\s*([Zz]|[+-]\d{2}(:?\d{2})?)$"


def landing_value(mapping: ColumnMapping | None, incoming: Incoming) -> str:
    """SQL of the landing value of a column, as text or as the file's own type."""
    if mapping is None:
        return "null"
    value = _source(mapping, incoming)
    if value == "null":
        return "null" if mapping.default is None else literal(mapping.default)
    if mapping.extract is not None:
        # Without a match the function gives an empty text, which is no value.
        value = f"regexp_extract(({value})::varchar, {literal(mapping.extract)}, 1)"
    if mapping.list_separator is not None:
        value = _joined_list(value, mapping.list_separator)
    if mapping.values:
        cases = " ".join(f"when {literal(old)} then {literal(new)}" for old, new in mapping.values.items())
        text = f"trim(({value})::varchar)"
        rest = text if mapping.otherwise is None else f"case when {text} <> '' then {literal(mapping.otherwise)} end"
        value = f"case {text} {cases} else {rest} end"
    if mapping.default is not None:
        value = f"coalesce(nullif(trim(({value})::varchar), ''), {literal(mapping.default)})"
    return value


def _source(mapping: ColumnMapping, incoming: Incoming) -> str:
    if mapping.helper is None:
        return unlooked(mapping, incoming)
    return quoted(mapping.helper) if mapping.helper in incoming.columns else "null"


def unlooked(mapping: ColumnMapping, incoming: Incoming) -> str:
    """SQL of the source of a mapping before its lookup: a column, a constant, or several of them."""
    if mapping.value is not None:
        return literal(str(mapping.value).lower() if isinstance(mapping.value, bool) else mapping.value)
    if mapping.column is not None:
        name = previous_column(mapping.column) if mapping.previous else mapping.column
        return quoted(name) if name in incoming.columns else "null"
    values = [landing_value(part, incoming) for part in mapping.first_of or mapping.joined or ()]
    texts = [f"nullif(trim(({value})::varchar), '')" for value in values]
    if mapping.first_of is not None:
        return f"coalesce({', '.join(texts)})"
    read = [text for text, part in zip(texts, mapping.joined or (), strict=True) if part.value is None]
    is_there = f"coalesce({', '.join(read)}) is not null" if read else "false"
    return f"case when {is_there} then concat_ws({literal(mapping.separator)}, {', '.join(texts)}) end"


def _joined_list(value: str, separator: str) -> str:
    """SQL of a JSON array as one text; what is no array of texts stays, for the contract to judge."""
    items = f"list_filter(try_cast(({value})::varchar as json)::varchar[], lambda item: item is not null)"
    is_list = f"json_valid(({value})::varchar) and json_type(({value})::varchar) = 'ARRAY'"
    return f"case when {is_list} then array_to_string({items}, {literal(separator)}) else ({value})::varchar end"


def typed(column: Column, text: str, mapping: ColumnMapping | None) -> str:
    """SQL that casts a landing value to the contract's type, or null where it does not parse."""
    spec = mapping or ColumnMapping(value="")
    if column.type == "string":
        return f"nullif(trim(({text})::varchar), '')"
    if column.type == "timestamp":
        return _in_calendar(_instant(text, spec))
    if column.type == "date":
        return _in_calendar(_day(text, spec))
    if column.type == "integer":
        # 3.7 must not round to 4 in silence.
        number = f"try_cast({_plain_number(text, spec)} as double)"
        return f"case when {number} = floor({number}) then try_cast({number} as bigint) end"
    if column.type == "number":
        return f"try_cast({_plain_number(text, spec)} as double)"
    return f"try_cast({text} as {SQL_TYPES[column.type]})"


def _instant(text: str, spec: ColumnMapping) -> str:
    """SQL of a timestamp in UTC."""
    if spec.epoch:
        count = f"try_cast(try_cast({text} as double) * {1_000_000 // _PER_SECOND[spec.epoch]} as bigint)"
        # Beyond the year 9999 the conversion would raise.
        return f"make_timestamp(case when abs({count}) < 253402300800000000 then {count} end)"
    if spec.formats:
        parsed = f"try_strptime(({text})::varchar, [{', '.join(literal(item) for item in spec.formats)}])"
        has_offset = any("%z" in item.lower() for item in spec.formats)
        return _utc(f"({parsed})::timestamp", spec.zone) if spec.zone and not has_offset else f"({parsed})::timestamp"
    # Through timestamptz, because a plain cast drops an offset: +02:00 would be read as UTC.
    instant = f"try_cast(({text})::varchar as timestamptz) at time zone 'UTC'"
    if spec.zone is None:
        return instant
    local = _utc(f"try_cast(({text})::varchar as timestamp)", spec.zone)
    return f"case when regexp_matches(trim(({text})::varchar), {literal(_HAS_OFFSET)}) then {instant} else {local} end"


def _utc(local: str, zone: str) -> str:
    """SQL of the instant of a local time; null for one that the clocks skip in spring.

    A time that comes twice in autumn is taken as the later one, in winter time: nothing says which.
    """
    instant = f"({local}) at time zone {literal(zone)}"
    return f"case when ({instant}) at time zone {literal(zone)} = ({local}) then ({instant}) at time zone 'UTC' end"


def _day(text: str, spec: ColumnMapping) -> str:
    """SQL of a date; of an instant, its day in the mapping's zone (UTC without one)."""
    if spec.epoch:
        return f"({_instant(text, spec)})::date"
    if spec.formats:
        return f"try_strptime(({text})::varchar, [{', '.join(literal(item) for item in spec.formats)}])::date"
    if spec.zone is None:
        return f"try_cast({text} as date)"
    aware = f"try_cast(({text})::varchar as timestamptz) at time zone {literal(spec.zone)}"
    has_offset = f"regexp_matches(trim(({text})::varchar), {literal(_HAS_OFFSET)})"
    return f"case when {has_offset} then ({aware})::date else try_cast({text} as date) end"


def _plain_number(text: str, spec: ColumnMapping) -> str:
    """SQL of a number as computers write it; null where signs do not stand where the mapping says.

    1.234,56 with decimal "," and thousands "." is 1234.56; 12.5 is then no number, rather than 125.
    """
    if not (spec.decimal or spec.thousands or spec.strip):
        return text
    plain = f"trim(({text})::varchar)"
    if spec.strip:
        signs = "|".join(re.escape(sign) for sign in sorted(spec.strip, key=len, reverse=True))
        # A sign of minus may stand before the currency: -€5.
        for pattern, kept in ((rf"^([+-]?)\s*(?:{signs})\s*", r"\1"), (rf"\s*(?:{signs})$", "")):
            plain = f"regexp_replace({plain}, {literal(pattern)}, {literal(kept)})"
    if spec.thousands == " ":
        # Exports group with no-break and narrow no-break spaces too.
        plain = f"replace(replace({plain}, '\u00a0', ' '), '\u202f', ' ')"
    decimal, thousands = re.escape(spec.decimal or "."), re.escape(spec.thousands or "")
    grouped = rf"\d{{1,3}}(?:{thousands}\d{{3}})+|\d+" if thousands else r"\d+"
    shape = rf"^[+-]?(?:{grouped})(?:{decimal}\d+)?$"
    ungrouped = f"replace({plain}, {literal(spec.thousands)}, '')" if spec.thousands else plain
    dotted = f"replace({ungrouped}, {literal(spec.decimal)}, '.')" if spec.decimal == "," else ungrouped
    return f"case when regexp_matches({plain}, {literal(shape)}) then {dotted} end"


def _in_calendar(value: str) -> str:
    """SQL of a date or timestamp, null outside the years 1900 to 9999.

    ``infinity`` and years before the first window would fall in no window and be lost; later years overflow.
    """
    return f"case when year({value}) between 1900 and 9999 then {value} end"


def is_supplied(mapping: ColumnMapping | None, incoming: Incoming) -> bool:
    """Whether a file has what a mapping names, or the mapping does without it."""
    if mapping is None:
        return False
    if mapping.value is not None or mapping.default is not None:
        return True
    if mapping.column is not None:
        return mapping.column in incoming.columns
    return any(is_supplied(part, incoming) for part in mapping.first_of or mapping.joined or ())
