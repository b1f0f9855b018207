"""Score: how strongly an account's signals speak together (DOMAIN §5).

Belongs here: points, convergence, score, coverage and *hot*, with their parts. Does not belong here: gates and health,
which never enter the score; and which cards exist: the score ranks, it never suppresses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from expansion_assets.catalogue.loader import Signals
from expansion_assets.catalogue.plays_loader import ScoreRules
from expansion_assets.readiness.firings import Firing, collect_firings

Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """One signal's share of a score."""

    signal: str
    category: str
    weight: float
    strength: float
    is_watchable: bool
    is_context: bool

    @property
    def points(self) -> float:
        """weight x strength; context gives none."""
        return 0.0 if self.is_context else self.weight * self.strength


@dataclass(frozen=True)
class Score:
    """The score of an account on a day."""

    points: float
    categories: int
    convergence: float
    score: float
    coverage_pct: float
    is_hot: bool


def faded(strength: float, age_days: int, fade_days: int) -> float:
    """Return a firing's strength after a number of days: linear to 0."""
    return strength * max(0.0, 1.0 - age_days / fade_days)


def total(parts: Iterable[Part], has_open_trigger: bool, rules: ScoreRules) -> Score:
    """Add up the parts of a score.

    Args:
        parts: All live signals; of signals that count once together all but one are context.
        has_open_trigger: Whether a trigger that is no risk is open.
        rules: Numbers of the score.
    """
    scoring = [part for part in parts if not part.is_context]
    points = sum(part.points for part in scoring)
    categories = len({part.category for part in scoring if part.points > 0})
    convergence = rules.convergence[min(max(categories, 1), len(rules.convergence)) - 1]
    weight = sum(part.weight for part in scoring)
    watchable = sum(part.weight for part in scoring if part.is_watchable)
    raw = points * convergence
    return Score(
        points=round(points, 6),
        categories=categories,
        convergence=convergence,
        score=round(min(rules.max_score, raw / rules.divisor), 6),
        coverage_pct=round(100 * watchable / weight, 4) if weight else 0.0,
        # 1e-9: the sum of shares may miss a round 8 by a bit of the last digit.
        is_hot=has_open_trigger and raw >= rules.hot_points - 1e-9 and categories >= rules.hot_categories,
    )


def is_watched(day: Mapping[str, Any], needs: Iterable[str]) -> bool:
    """Tell whether all needed sources are watchable for an account day."""
    return all(day.get(f"watchable_{need}") for need in needs)


def parts_of(
    day: Mapping[str, Any], firings: Iterable[Firing], signals: Signals, rules: ScoreRules, as_of: date
) -> list[Part]:
    """Return one part per live signal for an account on a day.

    A trigger counts once, with the strongest of its open firings (seats and seat limit are one signal); risk
    sub-triggers give nothing. A closed firing no longer holds, so it gives nothing either. Of signals that are the same
    the strongest counts; of a composite its parts count, not itself.
    """
    strongest: dict[str, float] = defaultdict(float)
    for firing in firings:
        if firing.is_open(as_of) and _counts(firing, signals):
            strength = faded(firing.strength, (as_of - firing.opened_on).days, rules.fade_days)
            strongest[firing.trigger] = max(strongest[firing.trigger], strength)
    context = rules.context_categories
    parts = [
        Part(key, t.category, t.weight, strongest[key], is_watched(day, t.needs), t.category in context)
        for key, t in signals.triggers.items() if t.state == "live"
    ]
    for key, s in signals.live_supporting.items():
        reading = s.strength_on(day)
        is_context = s.category in context or bool(s.made_of)
        parts.append(Part(key, s.category, s.weight, reading or 0.0, reading is not None, is_context))
    return _counted_once(parts, signals)


def _counts(firing: Firing, signals: Signals) -> bool:
    rule = signals.sub_trigger(firing.trigger, firing.sub_trigger)
    return rule.state == "live" and not rule.is_risk


def _counted_once(parts: list[Part], signals: Signals) -> list[Part]:
    """Leave one of each group of signals that are the same: a watched one first, then the one with most points."""
    groups: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        signal = signals.live_supporting.get(part.signal)
        groups[(signal and signal.same_as) or part.signal].append(part)
    counted = {
        max(group, key=lambda part: (not part.is_context, part.is_watchable, part.points, part.weight)).signal
        for group in groups.values()
    }
    return [part if part.signal in counted else replace(part, is_context=True) for part in parts]


def build_scores(
    account_day: Iterable[Mapping[str, Any]],
    firing_events: Iterable[Mapping[str, Any]],
    signals: Signals,
    rules: ScoreRules,
    window: tuple[date, date],
) -> tuple[list[Row], list[Row]]:
    """Score every account on every day of a window.

    Args:
        account_day: Rows of ``features.account_day``; days outside the window are ignored.
        firing_events: Rows of ``triggers.firing_events`` up to the window's end.
        signals: Signal library.
        rules: Numbers of the score.
        window: Half-open range of days.

    Returns:
        Rows of ``readiness.scores`` and of ``readiness.score_parts``. Parts are written where a signal adds
        strength; context signals show their strength with 0 points.
    """
    by_account: dict[str, list[Firing]] = defaultdict(list)
    for firing in collect_firings(firing_events).values():
        by_account[firing.account_id].append(firing)

    scores: list[Row] = []
    score_parts: list[Row] = []
    for day in account_day:
        account_id, as_of = day["account_id"], day["as_of_date"]
        if not window[0] <= as_of < window[1]:
            continue
        firings = by_account.get(account_id, [])
        parts = parts_of(day, firings, signals, rules, as_of)
        has_open = any(firing.is_open(as_of) and _counts(firing, signals) for firing in firings)
        scores.append({"account_id": account_id, "as_of_date": as_of, **vars(total(parts, has_open, rules))})
        score_parts.extend(
            {
                "account_id": account_id, "as_of_date": as_of, "signal": part.signal, "category": part.category,
                "weight": part.weight, "strength": round(part.strength, 6), "points": round(part.points, 6),
            }
            for part in parts if part.strength > 0
        )
    return scores, score_parts
