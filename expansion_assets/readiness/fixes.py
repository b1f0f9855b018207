"""What is wrong with the tables behind a trigger on a day, and the fix as a sentence an engineer can act on.

Belongs here: the kinds of fixes, which one a table asks for, their words, and the measures of a table (freshness, match
rate, history). Does not belong here: which accounts a fix would cover (``diagnostic.py``), what a trigger needs
(``needs.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from expansion_assets.readiness.needs import Watch
from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.mapping import Mapping as SourceMapping

Row = Mapping[str, Any]
ACCOUNTS = "crm_accounts"
_MONTH_DAYS = Decimal("30.4375")
# Asking for data that the data set declares not to have is no clean-up.
_NEW_DATA = "acquire"


@dataclass(frozen=True, order=True)
class Step:
    """One thing to mend.

    Attributes:
        table: Raw table.
        kind: deliver, fill_table, mend, refresh, map, map_column, fill_column, limit, match, records or acquire.
        column: Column, where one is meant.
        detail: Figures and reasons for the sentence.
        is_at_most: The accounts it would cover are an upper bound.
    """

    table: str
    kind: str
    column: str = ""
    detail: str = ""
    is_at_most: bool = True

    @property
    def is_clean_up(self) -> bool:
        """Tell whether the data is there and only needs mending."""
        return self.kind != _NEW_DATA

    def __str__(self) -> str:
        """Return the sentence."""
        return _WORDS[self.kind].format(table=self.table, column=self.column, detail=self.detail)


Steps = tuple[Step, ...]
# These are about single accounts; all others are about a table as a whole.
_OF_ACCOUNTS = ("limit", "match", "records")
_WORDS = {
    "deliver": "deliver `{table}` ({detail})",
    "fill_table": "ask for rows of `{table}` (its files hold none so far)",
    "mend": "mend the file of `{table}` ({detail})",
    "refresh": "restart the export of `{table}` ({detail})",
    "map": "map `{table}` (it needs {detail})",
    "map_column": "map `{column}` into `{table}`",
    "fill_column": "fill `{column}` of `{table}` (it is empty in every row)",
    "limit": "enter seat limits in `{table}` (a line with the `{column}` seat and a quantity)",
    "match": "match the rows of `{table}` ({detail})",
    "records": "ask for the missing accounts' records in `{table}`{detail}",
    "acquire": "get {column}`{table}` ({detail})",
}


def sentence(steps: Sequence[Step]) -> str:
    """Return one or more steps as one sentence, without its capital letter and full stop."""
    return "; then ".join(str(step) for step in steps)


def is_of_table(steps: Steps) -> bool:
    """Tell whether steps mend a table as a whole, whatever the account."""
    return all(step.kind not in _OF_ACCOUNTS for step in steps)


@dataclass(frozen=True)
class DataSet:
    """What the data set could have: contracts, and the mapping with its reasons.

    Attributes:
        contracts: Contracts by table.
        mapping: Where the columns are; ``absent`` names tables, sources, or ``table.column``, each with the reason.
    """

    contracts: Mapping[str, TableContract]
    mapping: SourceMapping

    def is_mapped(self, table: str, column: str | None = None) -> bool:
        """Tell whether the data set claims to have a table, or a column of it."""
        mapped = self.mapping.tables.get(table)
        if mapped is None or column is None:
            return mapped is not None
        return any(column in part.columns for part in mapped.inputs)

    def absent(self, table: str, column: str | None = None) -> str | None:
        """Return why it has no such table or column, in the mapping's own words."""
        reasons = self.mapping.absent
        if column is not None:
            return reasons.get(f"{table}.{column}")
        return reasons.get(table) or reasons.get(self.contracts[table].source)

    def freshness_days(self, table: str) -> int | None:
        """Return the contract's freshness in days, a started one as one; None when any age will do."""
        freshness = self.contracts[table].freshness
        return ceil(freshness / timedelta(days=1)) if freshness is not None else None


class TableFacts:
    """What is known of each table on each day."""

    def __init__(self, history: Iterable[Row], landing_status: Iterable[Row], match_rates: Iterable[Row]) -> None:
        """Index rows of ``readiness.source_history``, ``raw.landing_status`` and ``features.match_rate_day``."""
        self._history = {(row["as_of_date"], row["source_table"]): row for row in history}
        self._match = {(row["as_of_date"], row["source_table"]): row for row in match_rates}
        self._landing: dict[str, list[Row]] = defaultdict(list)
        for row in landing_status:
            self._landing[row["source_table"]].append(row)
        for rows in self._landing.values():
            rows.sort(key=lambda row: row["window_start"])

    def history(self, table: str, as_of: date) -> Row:
        """Return rows, times and filled columns of a table; empty when nothing is known of it."""
        return self._history.get((as_of, table), {})

    def match(self, table: str, as_of: date) -> Row | None:
        """Return how much of a table reaches an account."""
        return self._match.get((as_of, table))

    def landing(self, table: str, as_of: date) -> Row:
        """Return what the newest load up to a day met."""
        rows = [row for row in self._landing.get(table, ()) if row["window_start"] <= as_of]
        return rows[-1] if rows else {}


@dataclass
class Problems:
    """What stands in the way on one day."""

    as_of: date
    facts: TableFacts
    data_set: DataSet
    _steps: dict[tuple[Watch, bool | None], Steps] = field(default_factory=dict)

    def steps(self, watch: Watch, group: Row) -> Steps:
        """Return what has to be mended before accounts that are not watched this way can be."""
        was_watched = group.get(f"was_{watch.flags[0]}")
        key = (watch, was_watched)
        if key not in self._steps:
            self._steps[key] = tuple(sorted(self._find(watch, was_watched)))
        return self._steps[key]

    def no_accounts(self) -> Steps:
        """Return what has to be mended before there is any account."""
        if self._is_loaded(ACCOUNTS):
            return (Step(ACCOUNTS, "records"),)
        return (self._absent_step((ACCOUNTS,)),)

    def source_of(self, step: Step) -> str:
        """Return the source of the contracts that a step is about."""
        return self.data_set.contracts[step.table].source

    def _find(self, watch: Watch, was_watched: bool | None) -> list[Step]:
        loaded = [table for table in watch.tables if self._is_loaded(table)]
        if not loaded:
            return [self._absent_step(watch.tables)]
        first = loaded[0]
        if watch.column is not None and watch.is_limit:
            return [self._limit_step(first, watch.column)]
        if watch.column is not None and not any(self._is_filled(table, watch.column) for table in loaded):
            return [self._column_step(first, watch.column)]
        if not all(self._is_stale(table) for table in loaded):
            return [self._match_step(loaded)]
        refresh = self._refresh_step(first, is_at_most=was_watched is None)
        return [refresh, self._match_step(loaded)] if was_watched is False else [refresh]

    def _is_loaded(self, table: str) -> bool:
        return bool(self.facts.history(table, self.as_of).get("rows_total"))

    def _is_filled(self, table: str, column: str) -> bool:
        return column in (self.facts.history(table, self.as_of).get("filled_columns") or "").split("|")

    def _is_stale(self, table: str) -> bool:
        newest, allowed = self.facts.history(table, self.as_of).get("newest_known_on"), self._freshness(table)
        return allowed is not None and newest is not None and (self.as_of - newest).days >= allowed

    def _freshness(self, table: str) -> int | None:
        return self.data_set.freshness_days(table)

    def _absent_step(self, tables: Sequence[str]) -> Step:
        mapped = [table for table in tables if self.data_set.is_mapped(table)]
        open_ = [table for table in tables if self.data_set.absent(table) is None]
        table = (mapped or open_ or list(tables))[0]
        if not mapped:
            if reason := self.data_set.absent(table):
                return Step(table, _NEW_DATA, detail=reason)
            contract = self.data_set.contracts[table]
            required = [name for name, column in contract.columns.items() if column.required]
            return Step(table, "map", detail=", ".join(f"`{name}`" for name in required))
        landing = self.facts.landing(table, self.as_of)
        status, message = landing.get("status"), landing.get("message")
        if status == "failed":
            return Step(table, "mend", detail=message or "it could not be loaded")
        if status in ("empty", "loaded"):
            return Step(table, "fill_table")
        return Step(table, "deliver", detail=message or "no file was delivered")

    def _column_step(self, table: str, column: str) -> Step:
        if self.data_set.is_mapped(table, column):
            return Step(table, "fill_column", column)
        if reason := self.data_set.absent(table, column):
            return Step(table, _NEW_DATA, f"`{column}` of ", reason)
        return Step(table, "map_column", column)

    def _limit_step(self, table: str, column: str) -> Step:
        if reason := self.data_set.absent(table, column):
            return Step(table, _NEW_DATA, "seat limits of ", reason)
        return Step(table, "limit", column, is_at_most=False)

    def _refresh_step(self, table: str, *, is_at_most: bool) -> Step:
        newest = self.facts.history(table, self.as_of)["newest_known_on"]
        detail = f"the newest record is of {newest:%-d %b %Y}, {self._freshness(table)} days are allowed"
        landing = self.facts.landing(table, self.as_of)
        if landing.get("status") == "failed" and landing.get("message"):
            detail += f"; the last file: {landing['message']}"
        return Step(table, "refresh", detail=detail, is_at_most=is_at_most)

    def _match_step(self, tables: Sequence[str]) -> Step:
        rates = [self.facts.match(table, self.as_of) for table in tables]
        for table, match in zip(tables, rates, strict=True):
            if match is not None and match["rows_matched"] < match["rows_total"]:
                lost = match["rows_total"] - match["rows_matched"]
                detail = (
                    f"{lost:,} of {match['rows_total']:,} recent ones reach no account; add their domains to "
                    f"`{ACCOUNTS}`, or name their accounts in `identity_overrides`"
                )
                return Step(table, "match", detail=detail)
        detail = " (every recent row reaches an account)" if all(rates) else ""
        return Step(tables[0], "records", detail=detail, is_at_most=False)

    def measures(self, watches: Sequence[Watch]) -> dict[str, Any]:
        """Return freshness, match rate and history of the tables behind watches of one source.

        Of several tables the newest record, the longest history and the best ARR match count, because any of them is
        enough; rows are added up.
        """
        tables = list(dict.fromkeys(table for watch in watches for table in watch.tables))
        history = [row for table in tables if (row := self.facts.history(table, self.as_of)).get("rows_total")]
        match = [found for table in tables if (found := self.facts.match(table, self.as_of)) is not None]
        rows_total = sum(row["rows_total"] for row in match)
        arr_rates = [float(row["arr_matched"]) / float(row["arr_total"]) for row in match if row["arr_total"]]
        real = [row["first_loaded_on"] for row in history if row["first_loaded_on"]]
        assumed = [row["first_assumed_on"] for row in history if row["first_assumed_on"]]
        freshness = [days for table in tables if (days := self._freshness(table)) is not None]
        return {
            "newest_record_on": max((row["newest_known_on"] for row in history), default=None),
            "freshness_days": min(freshness, default=None),
            "rows_match_rate": sum(row["rows_matched"] for row in match) / rows_total if rows_total else None,
            "arr_match_rate": max(arr_rates, default=None),
            "history_months": self._months(min(real)) if real else 0.0 if history else None,
            "history_months_assumed": self._months(min(assumed)) if assumed else None,
            "is_history_assumed": bool(assumed) and not real if history else None,
        }

    def _months(self, first: date) -> float:
        return float(round(Decimal((self.as_of - first).days) / _MONTH_DAYS, 1))
