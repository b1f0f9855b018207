"""What becomes of one row when a person is forgotten: the one rule of the purge and of the loader.

Belongs here: which columns of a table say who somebody is, and what stands in them afterwards. Does not belong here:
files (``landing``), tables (``staged``, ``store/forget.py``), the list (``suppression``).

What a table does with a person's row is derived from its contract: ``person_rows: delete`` is a row whose grain is the
person. In a row that stays, as a fact of the account, an address becomes ``forgotten-<keyed hash>@its.domain`` (it
names nobody, leads to the same account and is the same person to a count), an id its keyed hash, a name nothing, a job
title its rank and function, and texts get bars over address and name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.privacy.suppression import FORGOTTEN, Entry, Suppression, scope_of
from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.identity import FORGOTTEN_PREFIX
from expansion_assets.sources.mapping import TableMapping

GONE: Literal["gone"] = "gone"
Verdict = Literal["gone"] | dict[str, str | None]
"""``gone``, or the columns that change with their new values; an empty dictionary leaves the row alone."""
_SCOPES = ("account_id", "account_domain")


@dataclass(frozen=True)
class PersonColumns:
    """Columns of a table or a file by what they say of a person."""

    direct: tuple[str, ...] = ()
    """Addresses and names."""
    required: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    """Those of ``direct`` that hold a name of a person."""
    ids: tuple[tuple[str, str], ...] = ()
    """Column and kind of id."""
    titles: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    """Text in which somebody may be named."""
    scopes: tuple[str, ...] = ()
    """Account or company of the row."""
    is_deleted: bool = False
    person_id: str | None = None
    """Column whose value is kept on the list, because later rows lead to the person by it."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every column that is looked at."""
        return tuple(dict.fromkeys((*self.direct, *(name for name, _ in self.ids), *self.titles, *self.texts)))

    @property
    def tells_people(self) -> bool:
        """Whether a row can be told to be of a person."""
        return bool(self.direct or self.ids)


def id_kinds(contracts: Iterable[TableContract]) -> frozenset[str]:
    """Names of columns that lead to a person: the keys of tables whose grain is one."""
    return frozenset(contract.person_id for contract in contracts if contract.person_id)


def person_columns(contract: TableContract, kinds: frozenset[str]) -> PersonColumns:
    """Columns of a raw table."""
    by_class = {
        wanted: tuple(name for name, column in contract.columns.items() if column.personal == wanted)
        for wanted in ("direct", "indirect", "free_text")
    }
    return PersonColumns(
        direct=by_class["direct"],
        required=frozenset(name for name, column in contract.columns.items() if column.required),
        names=tuple(name for name in by_class["direct"] if name.split("_")[-1] == "name"),
        ids=tuple((name, name) for name in contract.columns if name in kinds),
        titles=tuple(name for name in by_class["indirect"] if name.split("_")[-1] == "title"),
        texts=by_class["free_text"],
        scopes=tuple(name for name in _SCOPES if name in contract.columns),
        is_deleted=contract.person_rows == "delete",
        person_id=contract.person_id,
    )


def file_columns(
    readers: Iterable[tuple[TableContract, TableMapping]], kinds: frozenset[str]
) -> PersonColumns:
    """Columns of a landing file, by the mappings of all tables that read it.

    A row leaves the file only when every table that knows people there would delete it, and none picks its rows by a
    condition: another table's rows may be among them. A row that stays is without the person all the same.
    """
    found: list[PersonColumns] = []
    is_shared = False
    for contract, mapping in readers:
        columns = person_columns(contract, kinds)
        is_shared = is_shared or bool(mapping.where or mapping.where_not)
        sources = {
            name: [part.column for part in spec.parts() if part.column] for name, spec in mapping.columns.items()
        }

        def source(names: Iterable[str], sources: Mapping[str, list[str]] = sources) -> tuple[str, ...]:
            return tuple(column for name in names for column in sources.get(name, []))

        found.append(
            PersonColumns(
                direct=source(columns.direct), names=source(columns.names),
                required=frozenset(source(columns.required)),
                ids=tuple((column, kind) for name, kind in columns.ids for column in source([name])),
                titles=source(columns.titles), texts=source(columns.texts), scopes=source(columns.scopes),
                is_deleted=columns.is_deleted, person_id=next(iter(source(filter(None, [columns.person_id]))), None),
            )
        )
    people = [columns for columns in found if columns.tells_people]
    return PersonColumns(
        direct=_united(columns.direct for columns in found),
        required=frozenset().union(*(columns.required for columns in found)),
        names=_united(columns.names for columns in found),
        ids=tuple(dict.fromkeys(pair for columns in found for pair in columns.ids)),
        titles=_united(columns.titles for columns in found),
        texts=_united(columns.texts for columns in found),
        scopes=_united(columns.scopes for columns in found),
        is_deleted=bool(people) and not is_shared and all(columns.is_deleted for columns in people),
        person_id=next((columns.person_id for columns in found if columns.person_id), None),
    )


def _united(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part))


def is_of_person(row: Mapping[str, Any], columns: PersonColumns, suppression: Suppression) -> bool:
    """Whether a row is of somebody on the list: by address, by id, or by name within the account or company."""
    return (
        any(suppression.has_address(_text(row.get(name))) for name in columns.direct)
        or any(suppression.has_identifier(kind, row.get(name)) for name, kind in columns.ids)
        or any(suppression.has_name_at(_text(row.get(name)), _scopes(row, columns)) for name in columns.names)
    )


def forget_row(row: Mapping[str, Any], columns: PersonColumns, suppression: Suppression) -> Verdict:
    """Judge one row.

    Args:
        row: Values by column. Addresses are barred in every text, names in ``columns.texts``.
        columns: What the columns mean.
        suppression: Who is forgotten.

    Returns:
        ``gone``, or the changes. Judging a changed row again changes nothing.
    """
    is_person = is_of_person(row, columns, suppression)
    if is_person and columns.is_deleted:
        return GONE
    new: dict[str, str | None] = {}
    if is_person:
        for name in columns.direct:
            value = _text(row.get(name))
            if value:
                new[name] = suppression.pseudonymous_address(value) or (FORGOTTEN if name in columns.required else None)
        new |= _address_from_name(row, columns, suppression)
        for name, kind in columns.ids:
            value = _text(row.get(name))
            if value and suppression.has_identifier(kind, value):
                new[name] = suppression.pseudonymous_id(kind, value)
        for name in columns.titles:
            value = _text(row.get(name))
            if value:
                new[name] = general_title(value)
    for name in columns.texts:
        value = _text(row.get(name))
        if value:
            new[name] = suppression.masked(value)
    for name, value in row.items():
        if isinstance(value, str) and name not in new:
            new[name] = suppression.masked_addresses(value)
    return {name: value for name, value in new.items() if value != row.get(name)}


def _address_from_name(
    row: Mapping[str, Any], columns: PersonColumns, suppression: Suppression
) -> dict[str, str | None]:
    """A stand-in address for a row that names the person and has no address: it stays a fact of the same person."""
    empty = [name for name in columns.direct if name not in columns.names]
    if any(_text(row.get(name)) for name in empty):
        return {}
    for name in columns.names:
        address = suppression.address_of_name(_text(row.get(name)), _scopes(row, columns))
        if address and empty:
            return {empty[0]: address}
    return {}


def entries_of(row: Mapping[str, Any], columns: PersonColumns, suppression: Suppression) -> Iterator[Entry]:
    """What a row of a person tells of them: their id and their name. Nothing for other people's rows."""
    if not is_of_person(row, columns, suppression):
        return
    for name, kind in columns.ids:
        value = _text(row.get(name))
        if value and not value.startswith(FORGOTTEN_PREFIX):
            yield suppression.identifier(kind, value)
    addresses = [_text(row.get(name)) or "" for name in columns.direct]
    hosts = [address.rpartition("@")[2].strip("<> ") for address in addresses if "@" in address]
    mailboxes = [entry for address in addresses if (entry := suppression.mailbox(address))]
    person = mailboxes[0].hash if mailboxes else None
    for name in columns.names:
        value = _text(row.get(name))
        if value and value != FORGOTTEN:
            yield from suppression.names(value, [*_scopes(row, columns), *filter(None, map(scope_of, hosts))], person)


def general_title(title: str) -> str:
    """Rank and function of a job title: what the rules need of it, and no more (Chief of Staff, Lyon -> Director)."""
    titles = load_catalogue().titles
    rank, function = titles.rank(title), titles.function(title)
    words = [titles.ranks[rank] if rank is not None else "", function or ""]
    return " ".join(word.replace("_", " ") for word in words if word).capitalize()


def _scopes(row: Mapping[str, Any], columns: PersonColumns) -> list[str]:
    return [scope for name in columns.scopes if (scope := scope_of(_text(row.get(name))))]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
