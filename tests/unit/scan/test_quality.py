"""The quality page: every count, failures first, words a person reads, nothing that runs."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from expansion_assets.scan.quality import EXPECTATIONS, build_quality
from expansion_assets.scan.rendering import escape_markdown, render_index, render_quality
from expansion_assets.sources.contracts import load_contracts

DAY = date(2026, 6, 30)
HOSTILE = "<script>alert(1)</script> {{ 7*7 }}"


def result(table: str = "raw.crm_owners", columns: str = "country", unexpected: int | None = 0, **other: Any):
    return {
        "as_of_date": DAY, "window_start": DAY, "checked_table": table,
        "expectation": "expect_column_values_to_not_be_null", "column_names": columns, "rows_checked": 2000,
        "unexpected_count": unexpected, "is_success": unexpected == 0, "problem": None, "failed_from": None,
        "failed_to": None, "examples_json": None, **other,
    }


@pytest.fixture
def data():
    examples = [
        {"row_key": "j***@***", "values": {"country": None}}, {"row_key": HOSTILE, "values": {"country": HOSTILE}},
    ]
    return build_quality(DAY, [
        result("raw.a_empty", rows_checked=0),
        result("raw.b_fine"),
        result("raw.b_fine", "name"),
        result("raw.c_bad", unexpected=3, failed_from=date(2026, 6, 1), failed_to=DAY, window_start=date(2026, 6, 1),
               examples_json=json.dumps(examples)),
        result("raw.c_bad", "gone", None, problem="the table has no column gone"),
        result("raw.d_worse", unexpected=1999, failed_from=DAY, failed_to=DAY),
    ])


def test_every_table_is_told_once_and_failures_come_first(data):
    assert data["totals"] == {"tables": 4, "rows": 6000, "expectations": 6, "failed": 3, "failing_tables": 2}
    assert [table["name"] for table in data["failing"]] == ["raw.d_worse", "raw.c_bad"]
    assert [(table["name"], table["expectations"]) for table in data["passing"]] == [("raw.b_fine", 2)]
    assert data["without_rows"] == ["raw.a_empty"]
    assert data["window_start"] == date(2026, 6, 1)


def test_a_failure_has_counts_share_and_days(data):
    found, lacking = data["failing"][1]["failures"]
    assert (found["count"], found["share_pct"], found["days"]) == (3, "0.1 %", "1 Jun 2026 to 30 Jun 2026")
    assert (lacking["count"], lacking["problem"]) == (None, "the table has no column gone")
    assert data["failing"][0]["failures"][0]["share_pct"] == "more than 99.9 %"


def test_one_row_in_a_million_is_not_nothing():
    (table,) = build_quality(DAY, [result(unexpected=1, rows_checked=1_000_000)])["failing"]
    assert table["failures"][0]["share_pct"] == "less than 0.1 %"


def test_the_page_shows_it_all_and_runs_nothing(data):
    page = render_quality(data, is_demo=True)
    for text in ("3 of 6 expectations not met", "raw.d_worse", "1,999 rows", "must have a value", "not evaluated",
                 "the table has no column gone", "no value", "demo data", "Dagster UI"):
        assert text in page.html, text
    assert "<script" not in page.html and "&lt;script&gt;" in page.html and "{{ 7*7 }}" in page.html
    assert escape_markdown(HOSTILE) in page.md and "<script>" not in page.md
    assert json.loads(page.json)["totals"]["failed"] == 3


def test_a_day_that_holds_and_a_day_without_runs_make_pages():
    fine = render_quality(build_quality(DAY, [result()]))
    assert "All 1 expectations are met" in fine.html or "All 1 expectation" in fine.html
    assert "No row to judge" in render_quality(build_quality(DAY, [])).html


def test_each_expectation_that_contracts_bring_has_words():
    from expansion_assets.expectations.suites import contract_suite, table_suite
    from expansion_assets.tables import PYTHON_TABLES

    suites = [contract_suite(contract) for contract in load_contracts().values()]
    suites += [table_suite(table, {"x": (0, 1)}) for table in PYTHON_TABLES]
    assert {item.type for suite in suites for item in suite} == set(EXPECTATIONS)


def test_the_index_leads_to_both_pages(scan, digest, data):
    totals = {"rows": 1, "not_landed": 2}
    page = render_index(scan, digest, quality=data["totals"], quarantine=totals)
    for text in ('href="quality.html"', 'href="quarantine.html"', "3</b> of 6 expectations", "1</b> row set aside",
                 "files of 2 tables"):
        assert text in page.html, text
    assert "[Data quality](quality.md)" in page.md and "[Quarantine](quarantine.md)" in page.md
