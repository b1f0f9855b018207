"""Two taggers, side by side."""

import pytest

from expansion_assets.tagging.agreement import Agreement, changes, compare, render


def test_kappa_by_hand():
    # Cohen's own layout: 20 both, 5 and 10 apart, 15 neither: agreement 0.7, by chance 0.5, kappa 0.4.
    row = Agreement("cross_team", both=20, only_first=5, only_second=10, neither=15)
    assert (row.texts, row.agreement, row.kappa) == (50, pytest.approx(0.7), pytest.approx(0.4))


@pytest.mark.parametrize(
    ("row", "kappa"),
    [((0, 0, 0, 9), None), ((9, 0, 0, 0), None), ((0, 0, 0, 0), None), ((3, 0, 0, 3), 1.0), ((0, 3, 3, 0), -1.0)],
)
def test_kappa_at_its_edges(row, kappa):
    assert Agreement("cross_team", *row).kappa == kappa


def test_only_texts_that_both_read_count():
    first = {"a": ["cross_team"], "b": [], "c": ["usage_limit"], "gone": ["cross_team"]}
    second = {"a": ["cross_team", "usage_limit"], "b": [], "c": [], "new": ["cross_team"]}
    by_label = {row.label: row for row in compare(first, second)}
    assert by_label["cross_team"] == Agreement("cross_team", 1, 0, 0, 2)
    assert by_label["usage_limit"] == Agreement("usage_limit", 0, 1, 1, 1)
    assert changes(first, second) == [("a", "usage_limit", "gained"), ("c", "usage_limit", "lost")]


def test_the_table_names_what_changed():
    text = render(("old", "new"), {"a": []}, {"a": ["cross_team"]})
    assert "1 texts that both read" in text
    assert "a: gained cross_team" in text
    assert "cross_team           0       0       1        0    0.00   0.00" in text
