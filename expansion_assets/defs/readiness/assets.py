"""Readiness: coverage, diagnostic, score, gates and cards, by account and day."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.plays_loader import load_gates, load_plans, load_plays
from expansion_assets.defs.partitions import DAYS, SINGLE_RUN, days_of
from expansion_assets.defs.resources import Warehouse
from expansion_assets.readiness.cards import Catalogue, build_card_reviews, build_cards
from expansion_assets.readiness.churn_risk import build_churn_risk
from expansion_assets.readiness.coverage import build_coverage
from expansion_assets.readiness.score import build_scores
from expansion_assets.store import cards as card_store
from expansion_assets.store.readiness import write_diagnostic
from expansion_assets.store.warehouse import replace_window
from expansion_assets.tables import (
    CARD_REVIEWS,
    CARDS,
    CHURN_RISK,
    COVERAGE,
    DIAGNOSTIC,
    FIXES,
    GATE_RESULTS,
    SCORE_PARTS,
    SCORES,
    SOURCE_HISTORY,
    Table,
)
from expansion_assets.workspace import load_workspace

_OWNERS = ["team:cs-operations"]
_KINDS = {"python", "duckdb"}
_EVENTS = ["triggers", "firing_events"]
_ACCOUNT_DAY = ["features", "account_day"]
_MATCH_RATES = [["features", "match_rate_day"]]


def _spec(table: Table, deps: list[list[str]]) -> dg.AssetSpec:
    return dg.AssetSpec(
        [table.schema, table.name], group_name="readiness", description=table.description, deps=deps, kinds=_KINDS,
        owners=_OWNERS,
    )


def _result(table: Table, rows: int) -> dg.MaterializeResult:
    return dg.MaterializeResult(asset_key=[table.schema, table.name], metadata={"dagster/row_count": rows})


@dg.asset(
    key=["readiness", "coverage"], group_name="readiness", deps=[_ACCOUNT_DAY], partitions_def=DAYS,
    backfill_policy=SINGLE_RUN, kinds=_KINDS, owners=_OWNERS, description=COVERAGE.description,
)
def coverage(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Which triggers can be watched for which account, and why not."""
    window = days_of(context)
    with warehouse.connect() as connection:
        rows = build_coverage(
            card_store.account_days(connection, *window), card_store.landing_status(connection),
            load_catalogue().signals, window,
        )
        written = replace_window(connection, COVERAGE, rows, *window)
    blind = sum(not row["is_watchable"] for row in rows)
    return dg.MaterializeResult(metadata={"dagster/row_count": written, "blind": blind})


@dg.multi_asset(
    specs=[
        _spec(table, [_ACCOUNT_DAY, *_MATCH_RATES, *(["raw", name] for name in load_workspace().contracts)])
        for table in (SOURCE_HISTORY, DIAGNOSTIC, FIXES)
    ],
    name="diagnostic", partitions_def=DAYS, backfill_policy=SINGLE_RUN,
)
def diagnostic(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """What each trigger sees through each source, and which fix would cover the most ARR."""
    with warehouse.connect() as connection:
        written = write_diagnostic(connection, load_workspace(), load_catalogue().signals, *days_of(context))
    for table in (SOURCE_HISTORY, DIAGNOSTIC, FIXES):
        yield _result(table, written[table.full_name])


@dg.multi_asset(
    specs=[_spec(table, [_ACCOUNT_DAY, _EVENTS]) for table in (SCORES, SCORE_PARTS)],
    name="scores", partitions_def=DAYS, backfill_policy=SINGLE_RUN,
)
def scores(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """Score and its parts."""
    window = days_of(context)
    with warehouse.connect() as connection:
        found, parts = build_scores(
            card_store.account_days(connection, *window), card_store.firing_events(connection, window[1]),
            load_catalogue().signals, load_gates().score, window,
        )
        written = [
            replace_window(connection, SCORES, found, *window),
            replace_window(connection, SCORE_PARTS, parts, *window),
        ]
    yield _result(SCORES, written[0])
    yield _result(SCORE_PARTS, written[1])


@dg.multi_asset(
    specs=[
        _spec(table, [_ACCOUNT_DAY, _EVENTS, ["triggers", "evidence"], ["readiness", "scores"],
                      ["readiness", "score_parts"], ["features", "review_events"], ["features", "timeline_events"]])
        for table in (CARDS, GATE_RESULTS, CARD_REVIEWS)
    ],
    name="cards", partitions_def=DAYS, backfill_policy=SINGLE_RUN,
)
def cards(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[dg.MaterializeResult]:
    """Cards with their gates, and the play-log events that belong to them."""
    window, zone = days_of(context), load_workspace().settings.time_zone
    catalogue = Catalogue(load_plays(), load_gates(), load_plans(), load_catalogue().signals)
    with warehouse.connect() as connection:
        events = card_store.firing_events(connection, window[1])
        reviews = card_store.review_events(connection, window[1])
        linked = build_card_reviews(events, reviews, card_store.held_meetings(connection, window[1]), catalogue, zone)
        rows, gates = build_cards(
            events, card_store.evidence(connection, window[1]), card_store.account_days(connection, *window),
            reviews, linked,
            card_store.table_rows(connection, SCORES, *window), card_store.table_rows(connection, SCORE_PARTS, *window),
            card_store.people(connection, window[1]), card_store.paused_cards(connection, window[0]),
            catalogue, window, zone,
        )
        new_links = [row for row in linked if window[0] <= row["known_on"] < window[1]]
        written = [
            replace_window(connection, CARDS, rows, *window),
            replace_window(connection, GATE_RESULTS, gates, *window),
            replace_window(connection, CARD_REVIEWS, new_links, *window),
        ]
    for table, count in zip((CARDS, GATE_RESULTS, CARD_REVIEWS), written, strict=True):
        yield _result(table, count)


@dg.asset(
    key=["readiness", "churn_risk"], group_name="readiness", deps=[_ACCOUNT_DAY, _EVENTS], partitions_def=DAYS,
    backfill_policy=SINGLE_RUN, kinds=_KINDS, owners=_OWNERS, description=CHURN_RISK.description,
)
def churn_risk(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
    """Accounts at risk; shown first and apart."""
    window, gates = days_of(context), load_gates()
    first = window[0] - timedelta(days=gates.churn_risk.usage_baseline_days)
    with warehouse.connect() as connection:
        rows = build_churn_risk(
            card_store.account_days(connection, first, window[1]), card_store.firing_events(connection, window[1]),
            gates, window,
        )
        written = replace_window(connection, CHURN_RISK, rows, *window)
    return dg.MaterializeResult(metadata={"dagster/row_count": written})
