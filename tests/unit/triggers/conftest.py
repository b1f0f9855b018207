"""A small book of frozen rows, handed to detectors as Polars lazy frames and as DuckDB relations alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from types import ModuleType
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pytest

from expansion_assets.catalogue.features import account_day_features
from expansion_assets.catalogue.loader import Catalogue, load_catalogue
from expansion_assets.triggers.base import Detection, FiringEvent, Inputs, PriorFiring, Window
from expansion_assets.triggers.lifecycle import firing_states

START = date(2026, 3, 1)
Rows = Iterable[Mapping[str, Any]]

_NUMBERS = {name: feature for name, feature in account_day_features().items() if feature.is_number}
TEXT, DAY, BOOL, WHOLE, REAL, INSTANT = pl.String, pl.Date, pl.Boolean, pl.Int64, pl.Float64, pl.Datetime("us")
SCHEMAS: dict[str, dict[str, Any]] = {
    "account_day": {
        "account_id": TEXT, "as_of_date": DAY, "segment": TEXT, "account_status": TEXT, "first_paid_on": DAY,
        **{f"watchable_{source}": BOOL for source in (
            "product", "identity", "crm", "billing", "people", "support", "feedback", "meetings", "growth",
            "engagement", "text",
        )},
        **{name: WHOLE if feature.data_type == "bigint" else REAL for name, feature in _NUMBERS.items()},
        "seats_changed_on": DAY,
    },
    "quota_day": {
        "account_id": TEXT, "meter": TEXT, "as_of_date": DAY, "segment": TEXT, "first_paid_on": DAY,
        "is_watchable": BOOL, "limit_quantity": REAL, "limit_changed_on": DAY, "used_quantity": REAL,
        "previous_period_used_pct": REAL, "period_start": DAY, "period_end": DAY,
    },
    "group_day": {
        "account_id": TEXT, "group_kind": TEXT, "group_key": TEXT, "as_of_date": DAY, "segment": TEXT,
        "is_watchable": BOOL, "is_in_scope": BOOL, "users_2of14": WHOLE, "users_from_licensed": WHOLE,
        "withdrawn_users_2of14": WHOLE,
    },
    "contact_moves": {
        "account_id": TEXT, "person_key": TEXT, "segment": TEXT, "move": TEXT, "from_title": TEXT, "to_title": TEXT,
        "to_deal_role": TEXT, "current_deal_role": TEXT, "previous_renewal_contact_key": TEXT, "function": TEXT,
        "using_function": TEXT, "is_known_contact": BOOL, "source": TEXT, "source_table": TEXT, "row_key": TEXT,
        "happened_at": INSTANT, "known_at": INSTANT, "known_on": DAY, "withdrawn_on": DAY, "contact_days": WHOLE,
    },
    "texts": {
        "text_id": TEXT, "account_id": TEXT, "kind": TEXT, "speaker_side": TEXT, "requester_key": TEXT, "topic": TEXT,
        "happened_at": INSTANT, "happened_on": DAY, "known_at": INSTANT, "known_on": DAY, "source_table": TEXT,
        "row_key": TEXT,
    },
    "tags": {
        "tag_id": TEXT, "text_id": TEXT, "label": TEXT, "problem_key": TEXT, "polarity": TEXT, "quote": TEXT,
        "is_quote_found": BOOL, "withdrawn_on": DAY,
    },
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "account_day": {
        "account_id": "a", "segment": "smb", "account_status": "customer", "first_paid_on": date(2025, 1, 1),
        **{name: True for name in SCHEMAS["account_day"] if name.startswith("watchable_")},
    },
    "quota_day": {
        "account_id": "a", "meter": "api_calls", "segment": "smb", "first_paid_on": date(2025, 1, 1),
        "is_watchable": True, "limit_quantity": 100.0, "period_start": START, "period_end": date(2026, 12, 31),
    },
    "group_day": {
        "account_id": "a", "group_kind": "department", "group_key": "Legal", "segment": "smb", "is_watchable": True,
        "is_in_scope": False, "users_from_licensed": 0,
    },
    "contact_moves": {
        "account_id": "a", "person_key": "p1", "segment": "smb", "using_function": "operations",
        "is_known_contact": True, "source": "crm", "source_table": "raw.crm_contact_role_changes", "row_key": "r1",
    },
    "texts": {"account_id": "a", "kind": "ticket", "speaker_side": "customer", "source_table": "raw.support_tickets"},
    "tags": {"polarity": "affirmed", "is_quote_found": True, "quote": "so it is written"},
}


def day(number: int) -> date:
    """The day ``number`` days after the first of the book."""
    return START + timedelta(days=number)


def _completed(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Fill what a test does not care about; happened and known follow each other where only one is given."""
    full = {**DEFAULTS[table], **row}
    if "known_on" in SCHEMAS[table]:
        full.setdefault("happened_on", full.get("known_on"))
        full.setdefault("known_on", full["happened_on"])
        for name in ("happened", "known"):
            full.setdefault(f"{name}_at", datetime.combine(full[f"{name}_on"], time(9)))
    if table == "texts":
        full.setdefault("row_key", full["text_id"])
    return {name: full.get(name) for name in SCHEMAS[table]}


class Book:
    """Rows of the feature tables, read by a detector through one engine."""

    def __init__(self, engine: str, catalogue: Catalogue) -> None:
        self.engine = engine
        self.catalogue = catalogue
        self._connection = duckdb.connect()

    def frame(self, table: str, rows: Rows = ()) -> nw.LazyFrame[Any]:
        """Rows as a lazy frame of the engine."""
        frame = pl.DataFrame([_completed(table, row) for row in rows], SCHEMAS[table], orient="row")
        if self.engine == "polars":
            return nw.from_native(frame.lazy())
        self._connection.register("incoming", frame.to_arrow())
        self._connection.execute(f"create or replace table {table} as select * from incoming")
        return nw.from_native(self._connection.table(table))

    def inputs(self, prior: Iterable[PriorFiring] = (), **tables: Rows) -> Inputs:
        """Inputs with the given tables; the others are empty."""
        return Inputs(**{name: self.frame(name, tables.get(name, ())) for name in SCHEMAS}, prior=tuple(prior))

    def detect(
        self, module: ModuleType, start: date, end: date, prior: Iterable[PriorFiring] = (), **tables: Rows
    ) -> Detection:
        """Run a detector, giving it no row outside its declared look-back."""
        oldest = start - timedelta(days=module.lookback_days(self.catalogue))

        def is_read(table: str, row: Mapping[str, Any]) -> bool:
            time_column = "as_of_date" if "as_of_date" in SCHEMAS[table] else "known_on"
            return table == "tags" or oldest <= _completed(table, row)[time_column] < end

        cut = {table: [row for row in rows if is_read(table, row)] for table, rows in tables.items()}
        return module.detect(self.inputs(prior, **cut), Window(start, end), self.catalogue)

    def detect_in_parts(self, module: ModuleType, edges: list[date], **tables: Rows) -> Detection:
        """Run window after window, each knowing only the events of those before."""
        found = Detection()
        for start, end in pairwise(edges):
            found += self.detect(module, start, end, firing_states(found.events), **tables)
        return found


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(params=["polars", "duckdb"])
def book(request: pytest.FixtureRequest, catalogue: Catalogue) -> Book:
    return Book(request.param, catalogue)


@pytest.fixture
def on() -> Any:
    """The day that many days after the book's first."""
    return day


@pytest.fixture
def story() -> Any:
    """Events as (day number, event type, reason), the short form that tests compare."""

    def tell(events: Iterable[FiringEvent], sub_trigger: str | None = None) -> list[tuple[int, str, str | None]]:
        return [
            ((event.as_of_date - START).days, event.event_type, event.reason)
            for event in sorted(events, key=lambda event: (event.as_of_date, event.event_type))
            if sub_trigger in (None, event.sub_trigger)
        ]

    return tell
