"""The state machine on its own: changes of level in, steps out; the frame part is tested through the detectors."""

from __future__ import annotations

from datetime import date

import narwhals as nw
import pytest

from expansion_assets.catalogue.rules import DepartmentsRule
from expansion_assets.triggers.base import Window, rows_of
from expansion_assets.triggers.crossing import Level, level_changes, steps

EARLIER = date(2026, 2, 1)


def change(
    on, number, level, is_reset=False, is_grace=False, previous_is_grace=False, is_first=False, is_rearmed=True
):
    return {
        "as_of_date": on(number), "level": level, "is_reset": is_reset, "is_grace": is_grace,
        "previous_is_grace": previous_is_grace, "is_first": is_first, "is_rearmed": is_rearmed,
    }


def told(on, changes, opened_on=None):
    rows = [change(on, number, level, **flags) for number, level, flags in changes]
    return [
        ((step.row["as_of_date"] - on(0)).days, step.event_type, step.reason, step.opened_on)
        for step in steps(rows, opened_on)
    ]


def test_what_the_first_change_means_depends_on_the_event_log(on):
    assert told(on, [(0, 1, {})]) == [(0, "opened", None, on(0))]
    assert told(on, [(0, 1, {})], EARLIER) == []
    assert told(on, [(0, 0, {})]) == []
    assert told(on, [(0, 0, {})], EARLIER) == [(0, "closed", "re_armed", EARLIER)]


def test_a_reset_closes_and_may_open_on_one_day(on):
    assert told(on, [(3, 1, {"is_reset": True})], EARLIER) == [
        (3, "closed", "limit_changed", EARLIER), (3, "opened", None, on(3)),
    ]


def test_a_level_that_ends_without_calm_days_was_withdrawn(on):
    withdrawn = {"is_rearmed": None}
    assert told(on, [(3, 0, withdrawn), (4, 1, {})], EARLIER) == [
        (3, "superseded", "evidence_withdrawn", EARLIER), (4, "opened", None, on(4)),
    ]
    assert told(on, [(3, 0, withdrawn | {"is_reset": True})], EARLIER) == [(3, "closed", "limit_changed", EARLIER)]


def test_grace_keeps_its_own_state(on):
    grace, last = {"is_grace": True}, {"previous_is_grace": True}
    assert told(on, [(0, 1, grace), (5, 0, grace), (6, 1, grace), (9, 1, last), (12, 0, {})]) == [
        (0, "suppressed", "grace", on(0)),
        (6, "suppressed", "grace", on(6)),
        (9, "opened", "grace_end", on(9)),
        (12, "closed", "re_armed", on(9)),
    ]


@pytest.mark.parametrize(("open_accounts", "days"), [([], []), (["a"], [2])])
def test_only_accounts_with_an_open_firing_hand_over_their_calm_days(book, on, catalogue, open_accounts, days):
    """Most subjects are calm on most days: they stay in the engine."""
    level = Level.of(catalogue, "USAGE_MILESTONE", "departments", lambda rule: 2)
    assert isinstance(level.rules.default, DepartmentsRule)
    readings = book.frame("account_day", [{"as_of_date": on(number)} for number in range(5)])
    readings = readings.select("account_id", "as_of_date", "segment", subject_key="account_id").with_columns(
        epoch=nw.lit("first"), is_grace=nw.lit(False), is_met=nw.lit(False), is_calm=nw.lit(True),
        is_withdrawn=nw.lit(False),
    )
    changes = rows_of(level_changes(readings, level, Window(on(2), on(5)), open_accounts))
    assert [(row["as_of_date"] - on(0)).days for row in changes] == days


