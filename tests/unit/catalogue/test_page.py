"""The catalogue as a page: every row, its numbers in every segment, and what happened to it."""

from __future__ import annotations

import re

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.catalogue.page import catalogue_page

CATALOGUE = load_catalogue()
LINES = catalogue_page(CATALOGUE).splitlines()


def cells(name: str) -> list[str]:
    """Cells of the first table row of a signal."""
    line = next(line for line in LINES if line.startswith(f"| `{name}` |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_every_signal_has_a_row_and_a_history():
    signals = CATALOGUE.signals
    rules = [f"{key}.{name}" for key, trigger in signals.triggers.items() for name in trigger.sub_triggers]
    for name in (*rules, *signals.supporting, *signals.equivalents):
        assert any(line.startswith(f"| `{name}` |") for line in LINES), name
    history = LINES[LINES.index("### Versions"):]
    for name, row in (*signals.triggers.items(), *signals.supporting.items(), *signals.equivalents.items()):
        assert any(line.startswith(f"| `{name}` | {row.version} | {row.change} |") for line in history), name


def test_a_row_says_what_its_yaml_says():
    name, definition, numbers, reads, weight, play, state = cells("feature_ceiling")
    assert (numbers, reads) == ("3 → 12; enterprise: 6 → 24", "product; 28 days")
    assert (weight, play, state) == ("3", "playbook B, ae", "live")
    assert "Measured by `limit_events_28d`: Limits met and accesses denied" in definition
    assert name == "`feature_ceiling`"


@pytest.mark.parametrize(
    ("name", "column", "words"),
    [
        ("CROSS_TEAM.new_department", 2, "min_users 3, min_days 2, limit_users 10; enterprise: min_users 5"),
        ("ROLE_CHANGE.champion_left", 4, "0 (risk)"),
        ("USAGE_MILESTONE.departments", 3, "5 business days"),
        ("positive_sentiment", 1, "Composite of `seat_growth`, `executive_engagement`, `advocacy`: no points."),
        ("function_headcount_growth", 1, "Counts once with `headcount_growth`."),
        ("seat_growth", 1, "Left out: service, internal, contractor and vendor users; accounts without"),
        ("growth_event", 6, "retired"),
        ("new_department", 2, "`CROSS_TEAM`"),
    ],
)
def test_what_makes_a_row_special_is_said(name, column, words):
    assert words in cells(name)[column]


def test_every_table_is_whole():
    """A pipe in a text would shift the cells of its row."""
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in LINES if line.startswith("|")]
    assert set(widths) == {8, 5}
