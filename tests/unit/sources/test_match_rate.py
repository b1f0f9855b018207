"""Match rates against thresholds."""

from __future__ import annotations

import pytest

from expansion_assets.catalogue.identity import MatchRateRule
from expansion_assets.sources.match_rate import judge_rates, render_rates

RULE = MatchRateRule(min_rows=10, warn_below_rows=0.9, warn_below_arr=0.5)


def row(table="support_tickets", **values):
    return {
        "source_table": table, "rows_total": 100, "rows_matched": 95, "rows_by_id": 50, "rows_by_domain": 40,
        "rows_by_link": 3, "rows_by_override": 2, "accounts_matched": 8, "accounts_total": 10, "arr_matched": 600.0,
        "arr_total": 1000.0,
    } | values


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        ({}, ()),
        ({"rows_matched": 90}, ()),
        ({"rows_matched": 89}, ("rows 89.0 % < 90.0 %",)),
        ({"arr_matched": 499.0}, ("ARR 49.9 % < 50.0 %",)),
        ({"rows_total": 9, "rows_matched": 0, "arr_matched": 0.0}, ()),
        ({"arr_matched": None, "arr_total": None}, ()),
        ({"arr_total": 0.0, "arr_matched": 0.0}, ()),
    ],
)
def test_a_rate_below_its_threshold_is_named(values, faults):
    (rate,) = judge_rates([row(**values)], RULE)
    assert rate.faults == faults


def test_the_worst_comes_first_and_the_table_tells_all():
    rates = judge_rates([row("a"), row("b", rows_matched=10)], RULE)
    assert [rate.source_table for rate in rates] == ["b", "a"]
    lines = render_rates(rates).splitlines()
    assert lines[2] == "| b | 100 | 10.0 % | 50 | 40 | 3 | 2 | 8 of 10 | 60.0 % | rows 10.0 % < 90.0 % |"
    assert len(lines) == 4
