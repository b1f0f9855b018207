"""Neighbouring problems and other tools."""

import pytest

from expansion_assets.tagging.problems import load_problems

KEYS = [
    "reporting", "data_sync", "project_tracking", "feedback_surveys", "document_signing", "scheduling", "invoicing",
    "access_management", "training", "forecasting", "asset_inventory", "customer_messaging", "contract_management",
    "expense_tracking", "other",
]  # fmt: skip


def test_taxonomy_is_complete():
    assert list(load_problems().keys) == KEYS


@pytest.mark.parametrize(
    ("quote", "body", "problem"),
    [
        ("We chart it in Excel.", "", "reporting"),
        ("We send surveys with Typeform.", "", "feedback_surveys"),
        ("Contracts get signed in DocuSign.", "", "document_signing"),
        ("We do it in Excel.", "The roster is missing.", "scheduling"),
        ("Shifts live in Excel.", "I like the dashboard, the charts and the reports.", "scheduling"),
        ("We do it in Excel.", "", "other"),
    ],
)
def test_problem_of(quote, body, problem):
    assert load_problems().problem_of(quote, body) == problem


@pytest.mark.parametrize(
    ("quote", "tool"),
    [
        ("We keep it in a Google Sheet.", "Google Sheets"),
        ("An analyst rebuilds it in Tableau from a spreadsheet.", "Tableau"),
        ("A small Python script copies it at night.", "own script"),
        ("There is a spreadsheet for that.", "spreadsheet"),
        ("We use Fibery for that.", "Fibery"),
        ("Somebody remembers it.", None),
    ],
)
def test_tool_in(quote, tool):
    assert load_problems().tool_in(quote) == tool


def test_problem_agrees_with_hand_labels(training):
    """The taxonomy is predicted by cues: right for most lines, and this says how many."""
    rows = [row for row in training if row.problem_key]
    right = sum(load_problems().problem_of(row.evidence["adjacent_use"], row.text) == row.problem_key for row in rows)
    assert right / len(rows) >= 0.6
