"""Churn risk: accounts to look at first (DOMAIN §6).

Belongs here: the churn-risk card's rule and the flag of a seat cut. Does not belong here: gates and scores.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from expansion_assets.catalogue.plays_loader import ChurnRiskRules, Gates
from expansion_assets.readiness.firings import Firing, collect_firings
from expansion_assets.readiness.gates import is_detractor

Row = dict[str, Any]


def risk_facts(day: Mapping[str, Any], usage_drop: float | None, gates: Gates) -> list[str]:
    """Return the risk facts of an account on a day, in words; any two make a churn-risk card.

    Args:
        day: Row of ``features.account_day``.
        usage_drop: Share by which usage is below the account's own baseline; null when there is none.
        gates: Numbers.
    """
    rules, facts = gates.churn_risk, []
    if usage_drop is not None and usage_drop >= rules.usage_drop_share - 1e-9:
        facts.append(f"usage down {usage_drop:.0%} against its own last {rules.usage_baseline_days} days")
    if (day.get("open_escalations") or 0) >= rules.open_escalations:
        facts.append(f"{day['open_escalations']} open escalations")
    if is_detractor(day, day["as_of_date"], gates):
        facts.append(f"detractor (score {day['last_nps_score']}) on {day['last_nps_on']:%-d %b %Y}")
    if (day.get("invoice_days_late") or 0) > gates.rules.invoice_late_days:
        facts.append(f"an invoice {day['invoice_days_late']} days late")
    if day.get("health_band") == gates.rules.health_red:
        facts.append("health is red")
    return facts


def champion_gap(day: Mapping[str, Any], leavers: Iterable[Firing], successions: Iterable[date],
                 rules: ChurnRiskRules) -> str | None:
    """Return the words for a champion who left without successor, or None.

    A successor is a champion on record, or a move that detection joined to the leaver as one episode.
    """
    as_of = day["as_of_date"]
    if day.get("champions"):
        return None
    for firing in leavers:
        age = (as_of - firing.opened_on).days
        if 0 <= age <= rules.champion_left_days and not any(firing.opened_on <= s <= as_of for s in successions):
            return f"the champion left (known since {firing.opened_on:%-d %b %Y}), no successor on record"
    return None


def seat_cut(day: Mapping[str, Any], rules: ChurnRiskRules) -> str | None:
    """Return the words for a recent cut of contracted seats, or None."""
    before, now, changed_on = day.get("seats_before_change"), day.get("contracted_seats"), day.get("seats_changed_on")
    if before is None or now is None or changed_on is None or now >= before:
        return None
    if (day["as_of_date"] - changed_on).days > rules.seat_cut_days:
        return None
    return f"seats cut from {before:g} to {now:g} on {changed_on:%-d %b %Y}"


def build_churn_risk(
    account_day: Iterable[Mapping[str, Any]],
    firing_events: Iterable[Mapping[str, Any]],
    gates: Gates,
    window: tuple[date, date],
) -> list[Row]:
    """List the accounts at risk on each day of a window.

    Args:
        account_day: Rows of ``features.account_day`` of the window and of the ``usage_baseline_days`` before it.
        firing_events: Rows of ``triggers.firing_events`` up to the window's end.
        gates: Numbers.
        window: Half-open range of days.

    Returns:
        Rows ``account_id, as_of_date, reasons`` (separated by ``; ``) where the champion left without successor,
        two facts hold, or contracted seats were cut.
    """
    events = list(firing_events)
    leavers: dict[str, list[Firing]] = defaultdict(list)
    for firing in collect_firings(events).values():
        if firing.sub_trigger == "champion_left":
            leavers[firing.account_id].append(firing)
    successions: dict[str, list[date]] = defaultdict(list)
    for event in events:
        if event["event_type"] == "suppressed" and event["reason"] == "same_episode":
            successions[event["account_id"]].append(event["as_of_date"])

    by_account: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for day in account_day:
        by_account[day["account_id"]].append(day)
    rows = []
    for account_id, days in by_account.items():
        days.sort(key=lambda day: day["as_of_date"])
        for day, drop in zip(days, _usage_drops(days, gates.churn_risk), strict=True):
            if not window[0] <= day["as_of_date"] < window[1]:
                continue
            facts = risk_facts(day, drop, gates)
            reasons = facts if len(facts) >= gates.churn_risk.min_facts else []
            gap = champion_gap(day, leavers[account_id], successions[account_id], gates.churn_risk)
            cut = seat_cut(day, gates.churn_risk)
            if gap or reasons or cut:
                found = [*([gap] if gap else []), *(facts if gap or reasons else []), *([cut] if cut else [])]
                rows.append({"account_id": account_id, "as_of_date": day["as_of_date"], "reasons": "; ".join(found)})
    return rows


def _usage_drops(days: list[Mapping[str, Any]], rules: ChurnRiskRules) -> list[float | None]:
    """Share by which each day's usage is below the mean of the known days in the baseline before it."""
    drops: list[float | None] = []
    window: deque[tuple[date, float]] = deque()
    total = 0.0
    for day in days:
        while window and (day["as_of_date"] - window[0][0]).days > rules.usage_baseline_days:
            total -= window.popleft()[1]
        value = day.get(rules.usage_measure)
        mean = total / len(window) if len(window) >= max(rules.usage_min_days, 1) else 0.0
        drops.append(1 - value / mean if value is not None and mean > 0 else None)
        if value is not None:
            window.append((day["as_of_date"], float(value)))
            total += float(value)
    return drops
