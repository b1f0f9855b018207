"""CROSS_TEAM: a team outside the deployment scope uses the product.

Belongs here: the readings of ``new_department`` and their evidence. Does not belong here: how users are
grouped and what the scope is (``features.group_day``), leakage and the age of silent expansion
(``readiness``).
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.catalogue.rules import NewDepartmentRule, strength
from expansion_assets.triggers.base import Detection, Inputs, Line, Row, Window, is_true, per_segment
from expansion_assets.triggers.crossing import Level, Watch

TRIGGER, SUB_TRIGGER = "CROSS_TEAM", "new_department"
GROUP_DAY = "features.group_day"


def lookback_days(catalogue: Catalogue) -> int:
    """Days before the window that detection reads: a return within ``return_days`` keeps the firing."""
    return _level(catalogue).memory_days


def detect(inputs: Inputs, window: Window, catalogue: Catalogue) -> Detection:
    """One firing per group outside the scope.

    Args:
        inputs: group_day is read.
        window: Days to compute.
        catalogue: Thresholds.
    """
    return watches(inputs, window, catalogue)[0].detect(window, inputs, catalogue)


def watches(inputs: Inputs, _: Window, catalogue: Catalogue) -> list[Watch[Any]]:
    """The one level of this trigger."""
    level = _level(catalogue)

    def how_strong(row: Row, rule: NewDepartmentRule) -> float:
        return strength(row["users_2of14"], rule.min_users, rule.limit_users)

    def describe(row: Row) -> list[Line]:
        rule = level.rules.of(row["segment"])
        key = f"{row['account_id']}|{row['subject_key']}|{row['as_of_date']}"
        users, renamed, days = row["users_2of14"], row["users_from_licensed"], rule.window_days
        return [
            Line.of_day(row, GROUP_DAY, "users_2of14", users, float(rule.min_users), days, key),
            Line.of_day(row, GROUP_DAY, "users_from_licensed", renamed, rule.rename_share * users, days, key),
        ]

    return [Watch(level, group_readings(inputs.group_day, level), how_strong, lambda rows: map(describe, rows))]


def group_readings(group_day: nw.LazyFrame[Any], level: Level[NewDepartmentRule]) -> nw.LazyFrame[Any]:
    """Users of a group, one row per account, group and watchable day; a renamed group is its old self."""
    users, from_licensed = nw.col("users_2of14"), nw.col("users_from_licensed").fill_null(0.0)

    def is_met(rule: NewDepartmentRule) -> nw.Expr:
        is_rename = from_licensed >= rule.rename_share * users
        return is_true(~nw.col("is_in_scope") & (users >= rule.min_users) & ~is_rename)

    def is_withdrawn(rule: NewDepartmentRule) -> nw.Expr:
        return is_true((users < rule.min_users) & (users + nw.col("withdrawn_users_2of14") >= rule.min_users))

    return (
        group_day.select(
            "account_id", "as_of_date", "segment", "group_kind", "group_key", "is_in_scope", "is_watchable",
            *(
                nw.col(name).cast(nw.Float64)
                for name in ("users_2of14", "users_from_licensed", "withdrawn_users_2of14")
            ),
        )
        .filter("is_watchable", ~users.is_null())
        .with_columns(
            subject_key=nw.concat_str("group_kind", "group_key", separator=":"),
            epoch=nw.lit("first"),
            is_grace=nw.lit(False),
            is_met=per_segment(level.rules, is_met),
            is_withdrawn=per_segment(level.rules, is_withdrawn),
            is_scheduled=nw.lit(False),
        )
        .with_columns(is_calm=~nw.col("is_met"))
    )


def _level(catalogue: Catalogue) -> Level[NewDepartmentRule]:
    return Level.of(catalogue, TRIGGER, SUB_TRIGGER, lambda rule: rule.return_days)
