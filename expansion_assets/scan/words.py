"""The words and number formats of the pages.

Belongs here: plain-English names of triggers, stages and measures, dates, money, evidence lines. Does not belong here:
what is counted, and markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

TRIGGERS = {
    "USAGE_MILESTONE": "Usage limit reached",
    "ROLE_CHANGE": "People changed",
    "CROSS_TEAM": "A new team uses the product",
    "ADVANCED_TICKETS": "Support questions turned advanced",
    "ADJACENT_USE": "A neighbouring problem came up",
}
SUB_TRIGGERS = {
    "seats": "Seats nearly full",
    "seats_full": "Seats full",
    "quota": "Metered limit nearly used up",
    "departments": "All licensed departments work in it daily",
    "new_executive": "A new executive joined",
    "promotion": "A contact was promoted",
    "renewal_contact": "The renewal contact changed",
    "champion_left": "The champion left",
    "new_department": "A new team uses the product",
    "advanced_shift": "Support questions turned advanced",
    "adjacent_problem": "A neighbouring problem came up",
}
STAGES = {
    "detected": "not delivered yet",
    "delivered": "delivered, not acknowledged",
    "acknowledged": "acknowledged, waiting for a decision",
    "accepted": "accepted, not started",
    "rejected": "rejected",
    "too_early": "put off",
    "play_started": "play started, customer not contacted",
    "outreach_sent": "customer contacted",
    "customer_responded": "customer answered",
    "conversation_held": "conversation held, outcome not logged",
    "opportunity_linked": "opportunity opened, outcome not logged",
    "outcome_logged": "outcome logged",
}
OPENED = {
    "initial_state": "already true when watching began",
    "grace_end": "true since the first 90 days",
    "returned": "back for review",
}
# What waits for the owner, said to the owner.
TO_DO = {
    "detected": "Waiting for your decision",
    "delivered": "Waiting for your decision",
    "acknowledged": "Waiting for your decision",
    "accepted": "Accepted; the play is next",
    "play_started": "Started; contact the customer next",
    "outreach_sent": "Customer contacted; hold the conversation next",
    "customer_responded": "Customer answered; hold the conversation next",
    "conversation_held": "Conversation held; log its outcome",
    "opportunity_linked": "Opportunity opened; log the outcome",
}
# Measure -> what its value counts, and what its threshold means.
_MEASURES = {
    "active_users_28d": ("active users in 28 days", "fires at"),
    "assigned_seats": ("seats assigned", "fires at"),
    "seat_growth_60d_pct": ("growth of active users in 60 days", ""),
    "projected_capacity_days": ("days until the seats are full at this pace", ""),
    "used_quantity": ("used in this billing period", "fires at"),
    "saturated_departments": ("licensed departments work in it daily", "licensed:"),
    "saturated_core_users_min": ("people a day in the smallest of them", "needs"),
    "users_2of14": ("people of the new team, each on two days in 14", "fires at"),
    "users_from_licensed": ("of them come from a licensed department", "a rename from"),
    "advanced_tickets": ("advanced questions in 30 days", "fires at"),
    "advanced_share": ("of the questions in 30 days are advanced", "fires at"),
}
_TITLE_MEASURES = ("new_executive", "promotion", "renewal_contact", "champion_left")


def day(value: date | datetime | None) -> str:
    """Return a date as ``3 Nov 2026``; a dash when there is none."""
    return f"{value:%-d %b %Y}" if value else "–"


def short_day(value: date | datetime | None) -> str:
    """Return a date as ``Tue 3 Nov``; a dash when there is none."""
    return f"{value:%a %-d %b}" if value else "–"


def day_month(value: date) -> str:
    """Return a date as ``3 Nov``, where the year stands beside it."""
    return f"{value:%-d %b}"


def money(amount: float | None, currency: str | None) -> str:
    """Return an amount as ``18,000 EUR``; a dash when there is none."""
    return f"{amount:,.0f} {currency or ''}".rstrip() if amount is not None else "–"


def value_range(low: float | None, high: float | None, currency: str | None) -> str | None:
    """Return an expected yearly value as ``0 to 18,000 EUR a year``, or None when there is none."""
    if low is None or high is None:
        return None
    span = money(high, currency) if low == high else f"{low:,.0f} to {money(high, currency)}"
    return f"{span} a year"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 account``, ``2 accounts``, ``1,200 accounts``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return names joined by commas, the rest as a number."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def trigger(card: Mapping[str, Any]) -> str:
    """Return the plain name of what opened a card, and how many firings joined it."""
    name = SUB_TRIGGERS.get(card["sub_trigger"]) or TRIGGERS.get(card["trigger"], card["trigger"])
    joined = (card.get("firing_ids") or "").count("|")
    return f"{name}, and {count(joined, 'more signal')}" if joined else name


def number(value: float, measure: str = "") -> str:
    """Return a number as it is read: shares and percentages with a sign, no digits that nobody needs."""
    if measure.endswith("_share"):
        return f"{value:.0%}".replace("%", " %")
    text = f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
    return f"{text} %" if measure.endswith("_pct") else text


_WITHOUT_VALUE = {
    "projected_capacity_days": "use is flat or falling: no date at which the seats are full",
    "advanced_share": "no question in 30 days",
}


def _origin(line: Mapping[str, Any]) -> str:
    """Source and day; a count of ours has no source that a reader knows."""
    table = line.get("source_table") or ""
    source = "" if table.startswith("features.") else table.replace("_", " ")
    return ", ".join(filter(None, [source, day(line["happened_at"]) if line.get("happened_at") else ""]))


def evidence(line: Mapping[str, Any]) -> str:
    """Return an evidence line: a quote as it was said, else a measured value beside its threshold."""
    measure = line.get("measure") or ""
    if line.get("hidden"):
        return f"{line['hidden']} ({_origin(line)})"
    if line.get("quote"):
        lead = "Title: " if measure in _TITLE_MEASURES else ""
        return f"{lead}“{line['quote']}” ({_origin(line)})"
    counts, threshold = _MEASURES.get(measure, (measure.replace("_", " "), "threshold"))
    if line.get("value") is None:
        counts = _WITHOUT_VALUE.get(measure) or counts
        return f"{counts[:1].upper()}{counts[1:]} ({_origin(line)})"
    text = f"{number(line['value'], measure)} {counts}"
    if line.get("threshold") is not None and threshold:
        text += f"; {threshold} {number(line['threshold'], measure)}"
    return text
