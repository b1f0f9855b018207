"""USAGE_MILESTONE: use reaches a limit of the contract, or every licensed department works in the product daily.

Belongs here: the readings of ``seats``, ``seats_full``, ``quota`` and ``departments`` and their evidence.
Does not belong here: the state machine (``crossing.py``), the trailing counts (``features.account_day``,
``features.quota_day``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from statistics import linear_regression
from typing import Any

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.catalogue.rules import DepartmentsRule, QuotaRule, SeatsRule, strength
from expansion_assets.triggers.base import (
    Detection,
    Inputs,
    Line,
    Row,
    Window,
    is_true,
    per_segment,
    rows_of,
)
from expansion_assets.triggers.crossing import Level, Watch

TRIGGER = "USAGE_MILESTONE"
ACCOUNT_DAY = "features.account_day"
QUOTA_DAY = "features.quota_day"
GROWTH, GROWTH_DAYS = "seat_growth_60d_pct", 60
FIRST_EPOCH = "first"
Frame = nw.LazyFrame[Any]


def lookback_days(catalogue: Catalogue) -> int:
    """Days before the window that detection reads: re-arm counts, grace, the projection."""
    seats: list[Level[Any]] = [_seats_level(catalogue, name) for name in ("seats", "seats_full")]
    levels = [*seats, _quota_level(catalogue), _departments_level(catalogue)]
    return max(
        *(level.memory_days for level in levels),
        *(level.rules.most(lambda rule: rule.grace_days) for level in levels),
        *(level.rules.most(lambda rule: rule.projection_days) for level in seats),
    )


def detect(inputs: Inputs, window: Window, catalogue: Catalogue) -> Detection:
    """Firings of the four sub-triggers.

    Args:
        inputs: account_day and quota_day are read.
        window: Days to compute.
        catalogue: Thresholds.
    """
    return sum((watch.detect(window, inputs, catalogue) for watch in watches(inputs, window, catalogue)), Detection())


def watches(inputs: Inputs, _: Window, catalogue: Catalogue) -> list[Watch[Any]]:
    """The four levels of this trigger."""
    return [
        _watch_seats(inputs, catalogue, "seats"),
        _watch_seats(inputs, catalogue, "seats_full"),
        _watch_quota(inputs, catalogue),
        _watch_departments(inputs, catalogue),
    ]


def seat_readings(account_day: Frame, level: Level[SeatsRule]) -> Frame:
    """Active named users against contracted seats, one row per account and watchable day.

    A new number of seats is a new epoch, in which the threshold alone is not enough: users must have grown since, so
    that a cut never fires by itself. A day on which users fall below the threshold only because use of theirs was
    withdrawn takes the firing back.
    """
    active, contracted = nw.col("active_users_28d"), nw.col("contracted_seats")
    assigned, active_assigned = nw.col("assigned_seats"), nw.col("active_assigned_users_28d")

    def is_assigned(rule: SeatsRule) -> nw.Expr:
        if rule.assigned_share is None or rule.active_of_assigned_share is None:
            return nw.lit(False)
        return is_true(
            (assigned >= rule.assigned_share * contracted)
            & (active_assigned >= rule.active_of_assigned_share * assigned)
        )

    def is_met(rule: SeatsRule) -> nw.Expr:
        growth = nw.max_horizontal(rule.regrow_share * contracted, nw.lit(float(rule.regrow_users)))
        has_regrown = active >= nw.col("active_users_at_seat_change") + growth
        return is_true(
            ((active >= rule.threshold_share * contracted) | is_assigned(rule))
            & (nw.col("seats_changed_on").is_null() | has_regrown)
        )

    def is_withdrawn(rule: SeatsRule) -> nw.Expr:
        threshold = rule.threshold_share * contracted
        return is_true((active < threshold) & (active + nw.col("withdrawn_users_28d") >= threshold) & ~is_met(rule))

    def is_calm(rule: SeatsRule) -> nw.Expr:
        margin = nw.max_horizontal(rule.rearm_points * contracted, nw.lit(float(rule.rearm_seats)))
        return (active <= rule.threshold_share * contracted - margin) & ~is_assigned(rule)

    measures = (
        "contracted_seats", "active_users_28d", "assigned_seats", "active_assigned_users_28d",
        "active_users_at_seat_change", "withdrawn_users_28d", GROWTH,
    )
    return (
        account_day.select(
            "account_id", "as_of_date", "segment", "first_paid_on", "seats_changed_on", "watchable_product",
            "watchable_billing", *(nw.col(name).cast(nw.Float64) for name in measures),
        )
        .filter("watchable_product", "watchable_billing", contracted > 0, ~active.is_null())
        .with_columns(
            subject_key=nw.lit("seats"),
            epoch=_epoch("seats_changed_on"),
            is_grace=_is_grace(level),
            is_met=per_segment(level.rules, is_met),
            is_calm=per_segment(level.rules, is_calm),
            is_withdrawn=per_segment(level.rules, is_withdrawn),
            is_scheduled=nw.lit(False),
        )
    )


def quota_readings(quota_day: Frame, level: Level[QuotaRule], period_end_days: int) -> Frame:
    """Use of a metered limit within its billing period, one row per account, meter and watchable day.

    Within a period use only grows: where it falls back below the threshold, a correction took it away.
    """
    used, limit = nw.col("used_quantity"), nw.col("limit_quantity")
    measures = ("used_quantity", "limit_quantity", "previous_period_used_pct")
    return (
        quota_day.select(
            "account_id", "as_of_date", "segment", "first_paid_on", "limit_changed_on", "period_start", "period_end",
            "is_watchable", "meter", *(nw.col(name).cast(nw.Float64) for name in measures),
        )
        .filter("is_watchable", limit > 0, ~used.is_null())
        .unique()  # else a row that comes twice is its own day before
        .with_columns(
            subject_key=nw.col("meter"),
            used_before=used.shift(1).over("account_id", "meter", "period_start", order_by="as_of_date"),
            epoch=_epoch("limit_changed_on"),
            is_grace=_is_grace(level),
            is_met=per_segment(level.rules, lambda rule: used >= rule.threshold_share * limit),
            is_calm=per_segment(
                level.rules, lambda rule: is_true(nw.col("previous_period_used_pct") < 100 * rule.rearm_share)
            ),
            # A meter that fills up just before it is emptied does so for many accounts on one day.
            is_scheduled=is_true(nw.col("as_of_date") >= nw.col("period_end") - timedelta(days=period_end_days)),
        )
        .with_columns(
            is_withdrawn=per_segment(
                level.rules,
                lambda rule: is_true(
                    (used < rule.threshold_share * limit) & (nw.col("used_before") >= rule.threshold_share * limit)
                ),
            )
        )
    )


def department_readings(account_day: Frame, level: Level[DepartmentsRule]) -> Frame:
    """Licensed departments at work on each of the last business days, one row per account and watchable day.

    Five business days pass sooner than corrections come: a firing ends by its calm days alone.
    """
    licensed, saturated = nw.col("licensed_departments"), nw.col("saturated_departments")

    def is_met(rule: DepartmentsRule) -> nw.Expr:
        return is_true((licensed >= rule.min_departments) & (saturated >= licensed))

    measures = ("licensed_departments", "saturated_departments", "saturated_core_users_min")
    return (
        account_day.select(
            "account_id", "as_of_date", "segment", "first_paid_on", "watchable_product", "watchable_identity",
            "watchable_billing", *(nw.col(name).cast(nw.Float64) for name in measures),
        )
        .filter("watchable_product", "watchable_identity", "watchable_billing", ~licensed.is_null())
        .with_columns(
            subject_key=nw.lit("departments"),
            epoch=nw.lit(FIRST_EPOCH),
            is_grace=_is_grace(level),
            is_met=per_segment(level.rules, is_met),
            is_withdrawn=nw.lit(False),
            is_scheduled=nw.lit(False),
        )
        .with_columns(is_calm=~nw.col("is_met"))
    )


def projected_capacity_days(history: Sequence[tuple[date, float]], as_of: date, capacity: float) -> float | None:
    """Days until the line fitted through active users meets the contracted seats.

    Args:
        history: (day, active users), any order.
        as_of: Day from which to count.
        capacity: Contracted seats.

    Returns:
        Days from ``as_of``, 0 when the line is already there; None when it is flat or falls, or has under two days.
    """
    days = [float((day - as_of).days) for day, _ in history]
    if len(set(days)) < 2:
        return None
    slope, today = linear_regression(days, [users for _, users in history])
    return max(0.0, round((capacity - today) / slope, 1)) if slope > 0 else None


def _seats_level(catalogue: Catalogue, name: str) -> Level[SeatsRule]:
    return Level.of(catalogue, TRIGGER, name, lambda rule: rule.rearm_days)


def _quota_level(catalogue: Catalogue) -> Level[QuotaRule]:
    # One day is enough: its reading speaks of a full earlier period.
    return Level.of(catalogue, TRIGGER, "quota", lambda _: 1)


def _departments_level(catalogue: Catalogue) -> Level[DepartmentsRule]:
    return Level.of(catalogue, TRIGGER, "departments", lambda rule: rule.rearm_days)


def _watch_seats(inputs: Inputs, catalogue: Catalogue, name: str) -> Watch[SeatsRule]:
    level = _seats_level(catalogue, name)
    readings = seat_readings(inputs.account_day, level)

    def how_strong(row: Row, rule: SeatsRule) -> float:
        return strength(row["active_users_28d"] / row["contracted_seats"], rule.threshold_share, rule.limit_share)

    def describe(row: Row, history: Sequence[tuple[date, float]]) -> list[Line]:
        rule = level.rules.of(row["segment"])
        active, capacity = row["active_users_28d"], row["contracted_seats"]
        threshold, days = rule.threshold_share * capacity, rule.projection_days
        if rule.assigned_share is None or active >= threshold or not row["is_met"]:
            cause = Line.of_day(row, ACCOUNT_DAY, "active_users_28d", active, threshold, rule.window_days)
        else:
            threshold = rule.assigned_share * capacity
            cause = Line.of_day(row, ACCOUNT_DAY, "assigned_seats", row["assigned_seats"], threshold)
        since = row["as_of_date"] - timedelta(days=days)
        recent = [point for point in history if since < point[0] <= row["as_of_date"]]
        days_left = projected_capacity_days(recent, row["as_of_date"], capacity)
        return [
            cause,
            Line.of_day(row, ACCOUNT_DAY, GROWTH, row[GROWTH], window_days=GROWTH_DAYS),
            Line.of_day(row, ACCOUNT_DAY, "projected_capacity_days", days_left, window_days=days),
        ]

    def describe_all(rows: Sequence[Row]) -> list[list[Line]]:
        histories = _histories(readings, rows, level)
        return [describe(row, histories[row["account_id"]]) for row in rows]

    return Watch(level, readings, how_strong, describe_all)


def _histories(
    readings: Frame, crossed: Sequence[Row], level: Level[SeatsRule]
) -> dict[str, list[tuple[date, float]]]:
    """Watchable days of the accounts that crossed: account -> (day, active users)."""
    days = level.rules.most(lambda rule: rule.projection_days)
    rows = rows_of(
        readings.filter(
            nw.col("account_id").is_in(sorted({row["account_id"] for row in crossed})),
            nw.col("as_of_date") > min(row["as_of_date"] for row in crossed) - timedelta(days=days),
        )
        .select("account_id", "as_of_date", "active_users_28d")
        .unique()
    )
    histories: dict[str, list[tuple[date, float]]] = defaultdict(list)
    for row in rows:
        histories[row["account_id"]].append((row["as_of_date"], row["active_users_28d"]))
    return histories


def _watch_quota(inputs: Inputs, catalogue: Catalogue) -> Watch[QuotaRule]:
    level = _quota_level(catalogue)

    def how_strong(row: Row, rule: QuotaRule) -> float:
        return strength(row["used_quantity"] / row["limit_quantity"], rule.threshold_share, rule.limit_share)

    def describe(row: Row) -> list[Line]:
        threshold = level.rules.of(row["segment"]).threshold_share * row["limit_quantity"]
        days = (row["as_of_date"] - row["period_start"]).days + 1 if row["period_start"] else None
        key = f"{row['account_id']}|{row['meter']}|{row['as_of_date']}"
        return [Line.of_day(row, QUOTA_DAY, "used_quantity", row["used_quantity"], threshold, days, key)]

    readings = quota_readings(inputs.quota_day, level, catalogue.common.fleet_period_end_days)
    return Watch(level, readings, how_strong, lambda rows: map(describe, rows))


def _watch_departments(inputs: Inputs, catalogue: Catalogue) -> Watch[DepartmentsRule]:
    level = _departments_level(catalogue)

    def how_strong(row: Row, rule: DepartmentsRule) -> float:
        return strength(row["saturated_core_users_min"] or 0.0, rule.min_users, rule.limit_users)

    def describe(row: Row) -> list[Line]:
        rule = level.rules.of(row["segment"])
        saturated, licensed = row["saturated_departments"], row["licensed_departments"]
        users, least = row["saturated_core_users_min"], float(rule.min_users)
        return [
            Line.of_day(row, ACCOUNT_DAY, "saturated_departments", saturated, licensed),
            Line.of_day(row, ACCOUNT_DAY, "saturated_core_users_min", users, least),
        ]

    readings = department_readings(inputs.account_day, level)
    return Watch(level, readings, how_strong, lambda rows: map(describe, rows))


def _epoch(changed_on: str) -> nw.Expr:
    return nw.col(changed_on).cast(nw.String).fill_null(FIRST_EPOCH)


def _is_grace(level: Level[Any]) -> nw.Expr:
    first_paid_on = nw.col("first_paid_on")
    return is_true(
        per_segment(
            level.rules, lambda rule: nw.col("as_of_date") < first_paid_on + timedelta(days=rule.grace_days)
        )
    )
