"""``identity.*``: every spelling of an address, domain, name and title in the raw layer, resolved once.

Belongs here: which raw columns hold them, what is new in a window, writing. Does not belong here: how a text is read
(``sources/identity.py``, ``catalogue/titles.py``), which account a domain leads to (``dbt_project``).

dbt joins these tables on the text as the source spelt it. So the key of the pseudonyms never enters SQL: not a
statement, not the manifest, not a log, not a table. What follows from that: a row whose address is not in
``identity.addresses`` has no person and no domain; ``addresses_are_resolved`` fails then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import duckdb

from expansion_assets.catalogue.identity import IdentityRules, load_identity_rules
from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.titles import Titles
from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.identity import LIST_VERSION, Resolver
from expansion_assets.sources.match_rate import SourceRate, judge_rates
from expansion_assets.store.warehouse import add_rows, fetch_rows, replace_all, transaction
from expansion_assets.tables import ADDRESSES, DOMAINS, IDENTITY_METHOD, NAMES, TITLES, Table

OVERRIDES = "identity_overrides"
# Titles that a count of account_day reads; what else bears a title is read by the detectors, in Python.
_TITLE_COLUMNS = (
    ("crm_contacts", "title", "true"), ("crm_accounts", "using_function", "true"),
    ("growth_headcount", "department", "true"), ("growth_events", "title", "kind = 'job_post'"),
)
_ALWAYS = datetime(1900, 1, 1)
_BATCH = 50_000


class IdentityError(RuntimeError):
    """The warehouse was built with another key: its people could not be met again."""


@dataclass(frozen=True)
class Identifier:
    """One kind of text: the table of its spellings and the raw columns it stands in, as (table, column, condition)."""

    table: Table
    columns: tuple[tuple[str, str, str], ...]


def identifiers(contracts: Mapping[str, TableContract]) -> tuple[Identifier, ...]:
    """Raw columns that hold addresses, web domains and names, by the names the contracts give them, and titles."""
    addresses, domains, names = [], [], []
    for contract in contracts.values():
        for name, column in contract.columns.items():
            place = (contract.name, name, "true")
            if name.split("_")[-1] == "email":
                addresses.append(place)
            elif name.split("_")[-1] == "domain":
                domains.append(place)
            elif name.split("_")[-1] == "name" and column.personal == "direct":
                names.append(place)
    if OVERRIDES in contracts:
        addresses.append((OVERRIDES, "match_key", "key_kind = 'email'"))
        domains.append((OVERRIDES, "match_key", "key_kind = 'domain'"))
    return (
        Identifier(ADDRESSES, tuple(addresses)), Identifier(DOMAINS, tuple(domains)), Identifier(NAMES, tuple(names)),
        Identifier(TITLES, tuple(place for place in _TITLE_COLUMNS if place[0] in contracts)),
    )


def write_identity(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, TableContract],
    key: str,
    rules: IdentityRules,
    known_from: datetime,
    known_before: datetime,
) -> dict[str, int]:
    """Resolve what became known in a window and was not met before; all of it when lists or rules have changed.

    Args:
        connection: Warehouse connection; the raw tables and ``identity.*`` exist.
        contracts: Contracts of the raw tables.
        key: Key of the pseudonyms.
        rules: Rules for users that do not count.
        known_from: First instant of the window, UTC.
        known_before: Instant after the window.

    Returns:
        Rows added, by table.

    Raises:
        IdentityError: the stored pseudonyms were made with another key.
    """
    resolver, titles = Resolver(key, rules.user_kind_rules), load_catalogue().titles
    if not _is_same_method(connection, resolver, rules, titles):
        known_from, known_before = _ALWAYS, datetime.max
    makers: tuple[Callable[[str], dict[str, object]], ...] = (
        resolver.address_row, resolver.domain_row, resolver.name_row,
        lambda title: {"title": title, "rank_no": titles.rank(title), "function": titles.function(title)},
    )
    written = {}
    with transaction(connection):
        for identifier, make in zip(identifiers(contracts), makers, strict=True):
            if known_from == _ALWAYS:
                connection.execute(f"delete from {identifier.table.full_name}")
            written[identifier.table.full_name] = _add_new(connection, identifier, make, known_from, known_before)
    replace_all(connection, IDENTITY_METHOD, [_method(resolver, rules, titles)])
    return written


def match_rates(connection: duckdb.DuckDBPyConnection, day: date) -> list[SourceRate]:
    """Match rates of a day, judged by the catalogue."""
    rows = fetch_rows(connection, "select * from features.match_rate_day where as_of_date = $1", [day])
    return judge_rates(rows, load_identity_rules().match_rate)


def _add_new(
    connection: duckdb.DuckDBPyConnection, identifier: Identifier, make: Callable[[str], dict[str, object]],
    known_from: datetime, known_before: datetime,
) -> int:
    """Add the spellings of a window that the table does not hold; sorted: the same input gives the same bytes."""
    if not identifier.columns:
        return 0
    spellings = " union ".join(
        f"select {column} as given from raw.{table}"
        f" where known_from >= $1 and known_from < $2 and {column} is not null and {condition}"
        for table, column, condition in identifier.columns
    )
    name = identifier.table.key[0]
    new = connection.execute(
        f"select given from ({spellings}) anti join {identifier.table.full_name} as met on given = met.{name}"
        " order by given", [known_from, known_before],
    ).fetchall()
    for start in range(0, len(new), _BATCH):
        add_rows(connection, identifier.table, [make(given) for (given,) in new[start : start + _BATCH]])
    return len(new)


def _method(resolver: Resolver, rules: IdentityRules, titles: Titles) -> dict[str, object]:
    rules_version = sha256(repr((rules.user_kind_rules, titles)).encode()).hexdigest()[:8]
    return {
        "list_version": LIST_VERSION, "rules_version": rules_version, "key_fingerprint": resolver.key_fingerprint
    }


def _is_same_method(
    connection: duckdb.DuckDBPyConnection, resolver: Resolver, rules: IdentityRules, titles: Titles
) -> bool:
    stored = fetch_rows(connection, f"select * from {IDENTITY_METHOD.full_name}")
    if stored and stored[0]["key_fingerprint"] != resolver.key_fingerprint:
        raise IdentityError(
            "EXPANSION_PSEUDONYM_KEY is not the key this warehouse was built with: no person would be met again. "
            "Set the old key, or remove the warehouse file and run the history anew"
        )
    return stored == [_method(resolver, rules, titles)]
