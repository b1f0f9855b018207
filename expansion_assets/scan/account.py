"""The page of one account: why each trigger fired or did not, what counts towards its score, and its timeline.

Belongs here: what a reader of one account needs, put together. Does not belong here: verdicts (``triggers/explain``),
words of the explanation (``explanation.py``), who may be named (``consent.py``), markup (``rendering.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import quote

from expansion_assets.catalogue.loader import Signals
from expansion_assets.scan import words
from expansion_assets.scan.explanation import explained
from expansion_assets.triggers.explain import Explanation

Row = Mapping[str, Any]
FOLDER = "accounts"
MOST_EVENTS = 250
ONE_DAY = timedelta(days=1)
_MOST_SUMMARIES = 3


def page_name(account_id: str) -> str:
    """Path of an account's page below the folder of its day, without an ending; any id makes one file name."""
    return f"{FOLDER}/{quote(account_id, safe='')}"


def build_account(
    as_of: date,
    account: Row,
    owner: str | None,
    digest_row: Row | None,
    score: Row | None,
    parts: Iterable[Row],
    explanations: Sequence[Explanation],
    blind: Mapping[str, str],
    timeline: Iterable[Row],
    links: Iterable[Row],
    persons: Mapping[str, str],
    signals: Signals,
) -> dict[str, Any]:
    """Build the data of an account's page.

    Args:
        as_of: Day of the page.
        account: Its row of ``features.account_day``.
        owner: Name of the CSM.
        digest_row: Its row of the digest; None without an open card.
        score: Its row of ``readiness.scores``.
        parts: Its rows of ``readiness.score_parts`` of the day.
        explanations: Verdicts on every rule.
        blind: Trigger -> why it is blind.
        timeline: Its rows of ``outcomes.account_timeline`` with ``sub_trigger, subject_key, reason`` of firing events,
            and with people hidden where they must be.
        links: Rows of ``outcomes.timeline_links``.
        persons: Person key -> what a reader sees in its place.
        signals: Names and definitions of the signals.

    Returns:
        ``as_of, account_id, account, facts, card`` (the digest's row or None), ``score, parts`` (strongest first),
        ``triggers`` (``explained``), ``timeline`` (newest first, each event with ``links``; alike events of one day in
        one row) and ``totals``. Of events that belong to no firing, the newest ``MOST_EVENTS`` rows.
    """
    events = _timeline(timeline, links, persons)
    rows = _together(events)
    # Whatever a firing stands on stays, however old.
    shown = [row for number, row in enumerate(rows) if number < MOST_EVENTS or row["links"] or row["is_firing"]]
    return {
        "as_of": as_of,
        "account_id": account["account_id"],
        "account": account["account_name"] or account["account_id"],
        "facts": _facts(account, owner),
        "card": digest_row,
        "score": score,
        "parts": [_part(part, signals) for part in sorted(parts, key=lambda part: (-part["points"], part["signal"]))],
        "triggers": explained(explanations, blind, persons),
        "timeline": shown,
        "totals": {
            "events": len(events),
            "firings": sum(event["is_firing"] for event in events),
            "older": sum(row["count"] for row in rows) - sum(row["count"] for row in shown),
        },
    }


def _facts(account: Row, owner: str | None) -> list[tuple[str, str]]:
    facts = (
        ("Owner", owner),
        ("Segment", (account["segment"] or "").replace("_", " ")),
        ("Country", account["country"]),
        ("ARR", words.money(account["arr"], account["currency"]) if account["arr"] is not None else None),
        ("Customer since", words.day(account["first_paid_on"]) if account["first_paid_on"] else None),
        ("Renewal", words.day(account["renewal_on"]) if account["renewal_on"] else None),
        ("Last day to cancel", words.day(account["opt_out_on"]) if account["opt_out_on"] else None),
    )
    return [(name, value) for name, value in facts if value]


def _part(part: Row, signals: Signals) -> dict[str, Any]:
    signal = signals.triggers.get(part["signal"]) or signals.supporting[part["signal"]]
    name = words.TRIGGERS.get(part["signal"], part["signal"].replace("_", " ").capitalize())
    return {
        "name": name, "definition": signal.definition, "category": part["category"].replace("_", " "),
        "weight": part["weight"], "strength": part["strength"], "points": part["points"],
    }


def _timeline(timeline: Iterable[Row], links: Iterable[Row], persons: Mapping[str, str]) -> list[dict[str, Any]]:
    # By day, then by kind: what came together stands together.
    rows = sorted(
        timeline,
        key=lambda row: (
            row["happened_at"].date(), row["firing_id"] is not None, row["kind"], row["happened_at"], row["event_key"],
        ),
        reverse=True,
    )
    # A firing is linked to by its opening; a suppressed one has no other event.
    opening = {row["firing_id"]: row for row in rows if row["kind"] in ("firing_opened", "firing_suppressed")}
    events = {row["event_key"]: row for row in rows}
    linked: dict[str, list[dict[str, str]]] = defaultdict(list)
    for link in links:
        event, firing = events.get(link["event_key"]), opening.get(link["firing_id"])
        if event is None or firing is None:
            continue
        ends = (event, firing)
        for here, there in (ends, ends[::-1]):
            linked[here["event_key"]].append({
                "to": there["event_key"], "link": link["link"], "day": words.day(there["happened_at"]),
                "text": _what(there["kind"]),
            })
    for row in rows:
        if row["firing_id"] and row["firing_id"] in opening and row is not opening[row["firing_id"]]:
            there = opening[row["firing_id"]]
            linked[row["event_key"]].append({
                "to": there["event_key"], "link": "opening", "day": words.day(there["happened_at"]),
                "text": _what(there["kind"]),
            })
    return [
        {
            "key": row["event_key"],
            "happened_at": row["happened_at"],
            "known_on": row["known_on"],
            "count": 1,
            # Sources export at night: the next day is in time.
            "is_late": row["known_on"] > row["happened_at"].date() + ONE_DAY,
            "is_firing": row["firing_id"] is not None,
            "what": _what(row["kind"]),
            "summary": _summary(row, persons),
            "source": row["source_table"].removeprefix("triggers.").replace("_", " "),
            "links": sorted(linked[row["event_key"]], key=lambda link: (link["link"], link["day"], link["to"])),
        }
        for row in rows
    ]


def _together(events: Sequence[Row]) -> list[dict[str, Any]]:
    """Events of one kind and day that belong to no firing as one row: thirty seats assigned at once are one thing."""

    def alike(event: Row) -> tuple[Any, ...]:
        is_own = event["is_firing"] or event["links"]
        return (event["happened_at"].date(), event["what"], event["key"] if is_own else "")

    rows = []
    for _, group in groupby(events, key=alike):
        ours = list(group)
        summaries = list(dict.fromkeys(event["summary"] for event in ours if event["summary"]))
        what = ours[0]["what"] if len(ours) == 1 else f"{ours[0]['what']}, {len(ours)} times"
        rows.append({
            **ours[0], "count": len(ours), "what": what, "summary": words.listed(summaries, _MOST_SUMMARIES),
        })
    return rows


def _what(kind: str) -> str:
    return kind.removeprefix("play_").replace("_", " ").capitalize().replace("Nps", "NPS")


def _summary(row: Row, persons: Mapping[str, str]) -> str:
    if not row["firing_id"]:
        code, _, rest = (row["summary"] or "").partition(" ")
        told = f"{words.TRIGGERS[code]}, {rest}" if code in words.TRIGGERS else row["summary"] or ""
        return told.replace("_", " ")
    rule, subject = words.SUB_TRIGGERS.get(row["sub_trigger"], row["sub_trigger"]), row["subject_key"]
    about = "" if subject == row["sub_trigger"] else f" ({persons.get(subject, subject)})"
    reason = f", {row['reason'].replace('_', ' ')}" if row["reason"] else ""
    return f"{rule}{about}{reason}"
