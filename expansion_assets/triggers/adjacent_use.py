"""ADJACENT_USE: a customer says how a neighbouring problem is solved today.

Belongs here: which tagged mentions count, when they are judged, one firing per problem. Does not belong here:
labels, quotes and polarity (``tagging/``), the taxonomy of problems.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.catalogue.rules import AdjacentProblemRule, strength
from expansion_assets.triggers.base import (
    WITHDRAWN,
    Detection,
    Evidence,
    FiringEvent,
    Inputs,
    Line,
    Row,
    Window,
    bare_day,
    evidence_lines,
    follow_up,
    per_segment,
    rows_of,
)

TRIGGER, SUB_TRIGGER = "ADJACENT_USE", "adjacent_problem"


def lookback_days(catalogue: Catalogue) -> int:
    """Days before the window that detection reads: mentions said in the last ``said_days``, and a blind spell after."""
    rules = catalogue.rules(TRIGGER, SUB_TRIGGER)
    return rules.most(lambda rule: rule.said_days + rule.known_days)


def detect(inputs: Inputs, window: Window, catalogue: Catalogue) -> Detection:
    """One firing per account and problem; the same problem within ``dedupe_days`` is one.

    A firing is superseded once every mention since its opening is withdrawn; a later mention may then fire anew.

    Args:
        inputs: texts, tags and account_day are read.
        window: Days to compute.
        catalogue: Windows of days.
    """
    rules = catalogue.rules(TRIGGER, SUB_TRIGGER)
    openings: dict[tuple[str, str], list[date]] = defaultdict(list)
    for firing in inputs.prior_of(TRIGGER, SUB_TRIGGER):
        openings[firing.account_id, firing.subject_key].append(firing.opened_on)
    judged = rows_of(judged_mentions(inputs, window, catalogue))
    judged.sort(key=itemgetter("account_id", "problem_key", "as_of_date", "happened_at", "tag_id"))
    events: list[FiringEvent] = []
    evidence: list[Evidence] = []
    for subject, problem in groupby(judged, key=itemgetter("account_id", "problem_key")):
        mentions = list(problem)
        for day, rows in groupby(mentions, key=itemgetter("as_of_date")):
            first = next(rows)
            rule = rules.of(first["segment"])
            if day not in window or any(_covers(opened_on, day, mentions, rule) for opened_on in openings[subject]):
                continue
            openings[subject].append(day)
            said_since = day - timedelta(days=rule.said_days)
            known = [row for row in mentions if row["as_of_date"] <= day and row["happened_on"] > said_since]
            standing = [row for row in known if row["withdrawn_on"] is None or row["withdrawn_on"] > day]
            event = _opened(first, standing, rule, catalogue)
            events.append(event)
            evidence += evidence_lines(event.firing_id, ((day, _line(row, rule)) for row in reversed(standing)))
        rule = rules.of(mentions[-1]["segment"])
        for opened_on in openings[subject]:
            day = _withdrawn_on(opened_on, mentions, rule)
            if day is not None and day in window:
                account, problem_key = subject
                events.append(follow_up(
                    account, TRIGGER, SUB_TRIGGER, problem_key, opened_on, "superseded", day, WITHDRAWN, catalogue
                ))
    return Detection.of(events, evidence)


def judged_mentions(inputs: Inputs, window: Window, catalogue: Catalogue) -> nw.LazyFrame[Any]:
    """Proven mentions by customers, each on the first watchable day after it became known.

    Returns:
        One row per tag: account_id, segment, problem_key, as_of_date (day judged), tag_id, quote, withdrawn_on, and the
        text's keys and times. A mention whose account stays blind for ``known_days``, or that is withdrawn before, is
        not judged.
    """
    rules = catalogue.rules(TRIGGER, SUB_TRIGGER)
    day, known_on, happened_on = nw.col("as_of_date"), nw.col("known_on"), nw.col("happened_on")
    mentions = inputs.tags.filter(
        nw.col("label") == "adjacent_use",
        nw.col("is_quote_found"),
        nw.col("polarity") == "affirmed",
        ~nw.col("problem_key").is_null(),
    ).select("tag_id", "text_id", "problem_key", "quote", "withdrawn_on").unique()
    texts = inputs.texts.filter(nw.col("speaker_side") == "customer").select(
        "text_id", "account_id", "happened_at", "happened_on", "known_at", "known_on", "source_table", "row_key"
    ).unique()
    watchable = inputs.account_day.filter("watchable_text", day < window.end)
    watchable = watchable.select("account_id", "as_of_date", "segment").unique()

    def is_in_time(rule: AdjacentProblemRule) -> nw.Expr:
        withdrawn_on = nw.col("withdrawn_on")
        is_known = (day >= known_on) & (day < known_on + timedelta(days=rule.known_days))
        is_known = is_known & (withdrawn_on.is_null() | (withdrawn_on > day))
        return is_known & (happened_on <= day) & (happened_on > day - timedelta(days=rule.said_days))

    return (
        mentions.join(texts, on="text_id")
        .join(watchable, on="account_id")
        .filter(per_segment(rules, is_in_time))
        .with_columns(first_day=day.min().over("tag_id"))
        .filter(day == nw.col("first_day"))
    )


def near_misses(
    inputs: Inputs, accounts: Collection[str], window: Window, catalogue: Catalogue
) -> dict[str, dict[str, Counter[str]]]:
    """Mentions that do not count: account -> sub-trigger -> reason -> number of tags."""
    days = catalogue.rules(TRIGGER, SUB_TRIGGER).most(lambda rule: rule.said_days)
    known_on = nw.col("known_on")
    texts = inputs.texts.filter(
        nw.col("account_id").is_in(sorted(accounts)),
        known_on < window.end,
        known_on >= window.start - timedelta(days=days),
    ).select("text_id", "account_id", "speaker_side")
    tags = inputs.tags.filter(nw.col("label") == "adjacent_use").select(
        "text_id", "is_quote_found", "polarity", "problem_key", "withdrawn_on"
    )
    found: dict[str, dict[str, Counter[str]]] = {account: {SUB_TRIGGER: Counter()} for account in accounts}
    for row in rows_of(tags.join(texts, on="text_id")):
        reasons = found[row["account_id"]][SUB_TRIGGER]
        if not row["is_quote_found"]:
            reasons["quote not found in the text"] += 1
        elif row["speaker_side"] != "customer":
            reasons["said by our side"] += 1
        elif row["polarity"] != "affirmed":
            reasons[f"said as {row['polarity'].replace('_', ' ')}"] += 1
        elif row["problem_key"] is None:
            reasons["no problem of the taxonomy named"] += 1
        elif row["withdrawn_on"] is not None:
            reasons["withdrawn by its source"] += 1
    return found


def _covers(opened_on: date, day: date, mentions: Sequence[Row], rule: AdjacentProblemRule) -> bool:
    """Whether a firing that opened then still speaks for a mention of this day."""
    withdrawn_on = _withdrawn_on(opened_on, mentions, rule)
    return (day - opened_on).days < rule.dedupe_days and (withdrawn_on is None or withdrawn_on > day)


def _withdrawn_on(opened_on: date, mentions: Sequence[Row], rule: AdjacentProblemRule) -> date | None:
    """Day on which all that was said of the problem since the opening is withdrawn; none after ``said_days``."""
    spans = ((row["as_of_date"], row["withdrawn_on"]) for row in mentions if row["as_of_date"] >= opened_on)
    return bare_day(spans, opened_on + timedelta(days=rule.said_days))


def _opened(first: Row, known: Sequence[Row], rule: AdjacentProblemRule, catalogue: Catalogue) -> FiringEvent:
    texts = {row["text_id"] for row in known}
    return FiringEvent(
        account_id=first["account_id"],
        trigger=TRIGGER,
        sub_trigger=SUB_TRIGGER,
        subject_key=first["problem_key"],
        event_type="opened",
        as_of_date=first["as_of_date"],
        opened_on=first["as_of_date"],
        happened_at=first["happened_at"],
        known_at=first["known_at"],
        catalogue_version=catalogue.version,
        strength=strength(len(texts), 1, rule.limit_mentions),
        is_shadow=catalogue.sub_trigger(TRIGGER, SUB_TRIGGER).state == "shadow",
    )


def _line(row: Row, rule: AdjacentProblemRule) -> Line:
    return Line(
        row["source_table"], row["row_key"], "adjacent_use", window_days=rule.said_days, happened_at=row["happened_at"],
        tag_id=row["tag_id"], quote=row["quote"],
    )
