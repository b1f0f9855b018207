"""A run over a long window gives, row for row, what runs over its days give."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.dbt.project import CUTS, MARTS, WINDOW_MODELS, Dbt, day, rows


def differing_rows(left: Path, right: Path, mart: str) -> list[tuple[object, ...]]:
    """Rows of a mart that stand in one warehouse only."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{left}' as one (read_only)")
        connection.execute(f"attach '{right}' as other (read_only)")
        query = f"(from one.features.{mart} except all from other.features.{mart})"
        reverse = f"(from other.features.{mart} except all from one.features.{mart})"
        return connection.execute(f"{query} union all {reverse}").fetchall()


@pytest.mark.parametrize("mart", MARTS)
def test_one_window_equals_short_windows(one_window: Path, short_windows: Path, mart: str) -> None:
    assert rows(one_window, f"select count(*) from features.{mart}")[0][0] > 0
    assert differing_rows(one_window, short_windows, mart) == []


@pytest.mark.parametrize(
    ("column", "least"),
    [
        ("seats_changed_on", 5),
        ("active_users_28d_60d_ago", 5),
        ("seat_growth_60d_pct", 5),
        ("power_users_28d", 2),
        ("invoice_days_late", 10),
        ("headcount_growth_yoy_pct", 2),
        ("excluded_users_28d", 2),
        ("withdrawn_users_28d", 2),
        ("open_tickets", 3),
        ("access_denied_28d", 2),
        ("workflow_events_28d", 2),
        ("export_growth_28d_pct", 2),
        ("uncontracted_use_28d_pct", 5),
        ("new_stakeholders_90d", 2),
        ("webinars_90d", 2),
        ("roadmap_requests_90d", 2),
        ("referrals_90d", 2),
        ("advocacy_events_180d", 2),
        ("last_qbr_sentiment", 2),
        ("positive_signs", 3),
        ("funding_rounds_90d", 2),
        ("new_locations_90d", 2),
        ("job_posts_90d", 2),
        ("function_job_posts_90d", 2),
        ("function_headcount_growth_yoy_pct", 2),
        ("fiscal_year_elapsed_days", 60),
    ],
)
def test_book_exercises_the_column(one_window: Path, column: str, least: int) -> None:
    """Equality of two empty columns would prove nothing."""
    (found,) = rows(one_window, f"select count(distinct {column}) from features.account_day")[0]
    assert found >= least


@pytest.mark.parametrize(("mart", "sources"), [("timeline_events", 26), ("texts", 6)])
def test_book_exercises_every_source(one_window: Path, mart: str, sources: int) -> None:
    (found,) = rows(one_window, f"select count(distinct source_table) from features.{mart}")[0]
    assert found == sources


def test_timeline_tells_changes_and_not_versions(one_window: Path) -> None:
    """A version that changes another column than the stage is no event."""
    query = """
        select count(*), count(distinct row_key || kind) from features.timeline_events
        where source_table in ('crm_meetings', 'crm_opportunities', 'crm_goals')
    """
    (found,) = rows(one_window, query)
    assert found[0] == found[1] > 0


@pytest.mark.parametrize("way", ["id", "domain", "link", "override"])
def test_book_exercises_every_way_to_an_account(one_window: Path, way: str) -> None:
    query = f"select count(*) from features.match_rate_day where rows_by_{way} > 0 and rows_matched < rows_total"
    assert rows(one_window, query)[0][0] > 10


def test_rerun_of_a_window_changes_nothing(dbt: Dbt, short_windows: Path) -> None:
    dbt.warehouse.write_bytes(short_windows.read_bytes())
    dbt.run(day(CUTS[-2] - 3), day(CUTS[-1]), WINDOW_MODELS)
    assert {mart: differing_rows(short_windows, dbt.warehouse, mart) for mart in MARTS} == {
        mart: [] for mart in MARTS
    }
