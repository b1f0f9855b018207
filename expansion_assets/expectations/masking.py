"""Personal values made unreadable before they leave the warehouse: for check results, logs and pages.

Belongs here: how a value looks once it is masked, by its personal-data class or by what it looks like.
Does not belong here: which column is personal (the contract says so), deletion of a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence

from expansion_assets.sources.contracts import TableContract

MASK = "***"
_EMAIL = re.compile(r"""[^\s@"'<>(),;:\\|=]+@[^\s@"'<>(),;:\\|]+""")
# Groups of digits as people write a telephone number; dates and plain ids have no such form.
_PHONE = re.compile(r"(?<![\w.-])(?:\+|\(?0)[\d\s().\-/]{6,}\d(?!\w)|(?<![\w.-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)")
_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?:\D.*)?")
_FEWEST_PHONE_DIGITS = 7


def mask_value(value: object, personal: str | None) -> str | None:
    """A value as it may be shown.

    Args:
        value: Value of one column; None stays None.
        personal: Personal-data class of the column (``direct``, ``indirect``, ``free_text``), None when it has none.

    Returns:
        ``j***@***`` for an address, the first letter of another personal text, the length of a free text; a value
        without a class stays, save for what looks like an address or a telephone number in it.
    """
    if value is None:
        return None
    text = str(value)
    if personal is None:
        return mask_patterns(text)
    if personal == "free_text":
        return f"{MASK} ({len(text)} characters)"
    if _EMAIL.fullmatch(text.strip()):
        return _masked_email(text.strip())
    # One letter says which kind of value it was; a short value would be given away by it.
    return f"{text.strip()[:1]}{MASK}" if len(text.strip()) > 2 and text.strip()[0].isalpha() else MASK


def mask_patterns(text: str) -> str:
    """Text whose e-mail addresses and telephone numbers are masked, wherever they stand."""
    return _PHONE.sub(_masked_phone, _EMAIL.sub(lambda found: _masked_email(found[0]), text))


def _masked_email(address: str) -> str:
    return f"{address[:1] if address[:1].isalnum() else ''}{MASK}@{MASK}"


def _masked_phone(found: re.Match[str]) -> str:
    is_phone = sum(sign.isdigit() for sign in found[0]) >= _FEWEST_PHONE_DIGITS and not _DATE.fullmatch(found[0])
    return MASK if is_phone else found[0]


def mask_row_key(key: object, columns: Sequence[str], classes: Mapping[str, str | None]) -> str | None:
    """A row key (values of the key columns joined by ``|``) with its personal parts masked.

    A key that does not part into one value a column is masked as a whole when any of its columns is personal.
    """
    if key is None:
        return None
    parts = str(key).split("|")
    personal = [classes.get(name) for name in columns]
    if len(parts) == len(personal):
        return "|".join(mask_value(part, kind) or "" for part, kind in zip(parts, personal, strict=True))
    return MASK if any(personal) else mask_patterns(str(key))


def mask_raw_row(
    raw_json: str | None, contract: TableContract | None, landing_names: Mapping[str, Collection[str]]
) -> str | None:
    """A quarantined row as it may be shown.

    Args:
        raw_json: The row as it landed: an object of landing names and values, or a JSON string of a line that could
            not be read.
        contract: Contract of its table; None when there is none any more.
        landing_names: Contract column -> columns of the landing file that it is read from. A name that is no contract
            column (the load time) holds nothing personal.

    Returns:
        The same JSON with masked values. What cannot be mapped to a contract column is masked whole when the table
        has personal columns (or no contract says that it has none), and by its looks otherwise.
    """
    if raw_json is None:
        return None
    columns = contract.columns if contract else {}
    is_suspect = contract is None or any(column.personal for column in columns.values())
    try:
        row = json.loads(raw_json)
    except ValueError:
        row = raw_json
    if not isinstance(row, dict):
        return json.dumps(_unmapped(row, is_suspect), ensure_ascii=False)
    known: dict[str, list[str | None]] = {}
    for name, column in columns.items():
        for spelling in {name, *landing_names.get(name, ())}:
            known.setdefault(spelling, []).append(column.personal)
    for name in landing_names.keys() - columns.keys():
        for spelling in landing_names[name]:
            known.setdefault(spelling, []).append(None)
    # Nothing known among the names: the file may have no header, and its first record stand in its place.
    is_headless = is_suspect and not set(row) & set(known)
    shown: dict[str, object] = {}
    for number, (name, value) in enumerate(row.items()):
        if name in known:
            shown[name] = _mapped(value, next((kind for kind in known[name] if kind), None))
        else:
            label = name if _is_plain_name(name) and not is_headless else f"column {number + 1}"
            shown[label] = _unmapped(value, is_suspect)
    return json.dumps(shown, ensure_ascii=False)


def _is_plain_name(name: str) -> bool:
    return mask_patterns(name) == name and re.fullmatch(r"[A-Za-z_][\w .-]{0,60}", name) is not None


def _mapped(value: object, personal: str | None) -> object:
    if value is None or (personal is None and isinstance(value, (bool, int, float))):
        return value
    if isinstance(value, (dict, list)):
        return mask_value(json.dumps(value, ensure_ascii=False), personal or "free_text")
    return mask_value(value, personal)


def _unmapped(value: object, is_suspect: bool) -> object:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return mask_value(text, "free_text") if is_suspect else mask_patterns(text)
