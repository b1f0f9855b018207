"""ADVANCED_TICKETS: support questions turn from getting started to building.

Belongs here: what counts as one question, which are an outage's, the account's window against its own
baseline. Does not belong here: what makes a text advanced (``tagging/``), the state machine
(``crossing.py``).

On day D the window W holds questions that happened in (D - 30, D], the baseline B those of [D - 120, D - 31];
a question counts from the day it became known, and is advanced until the words that made it so are withdrawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.catalogue.rules import AdvancedShiftRule, strength
from expansion_assets.triggers.base import (
    Detection,
    Inputs,
    Line,
    PriorFiring,
    Row,
    Window,
    is_true,
    per_segment,
    rows_of,
)
from expansion_assets.triggers.crossing import Level, Watch

TRIGGER, SUB_TRIGGER = "ADVANCED_TICKETS", "advanced_shift"
Frame = nw.LazyFrame[Any]
as_of, happened_on, known_on = nw.col("as_of_date"), nw.col("happened_on"), nw.col("known_on")
# Shares meet their thresholds to nine decimals, as engines add doubles in different orders.
DECIMALS = 9


def lookback_days(catalogue: Catalogue) -> int:
    """Days before the window that detection reads: the re-arm count, and the baseline of its first day."""
    level = _level(catalogue)
    return level.memory_days + level.rules.most(lambda rule: rule.baseline_from_days)


def detect(inputs: Inputs, window: Window, catalogue: Catalogue) -> Detection:
    """One firing per account.

    Args:
        inputs: texts (tickets), tags and account_day are read.
        window: Days to compute.
        catalogue: Thresholds.
    """
    return watches(inputs, window, catalogue)[0].detect(window, inputs, catalogue)


def watches(inputs: Inputs, window: Window, catalogue: Catalogue, always: Collection[str] = ()) -> list[Watch[Any]]:
    """The one level of this trigger; accounts of ``always`` are read even where they cannot fire."""
    level = _level(catalogue)
    accounts = sorted({*_open_accounts(inputs.prior_of(TRIGGER, SUB_TRIGGER)), *always})
    readings = shift_readings(inputs, level, window, accounts)

    def how_strong(row: Row, rule: AdvancedShiftRule) -> float:
        return strength(row["advanced"], rule.min_advanced, rule.limit_advanced)

    def describe(row: Row, quotes: Sequence[Row]) -> list[Line]:
        rule = level.rules.of(row["segment"])
        share = row["advanced"] / row["questions"] if row["questions"] else None
        expected = row["baseline_share"] + rule.lift_points
        table, days = "features.texts", rule.window_days
        lines = [
            Line.of_day(row, table, "advanced_tickets", row["advanced"], float(rule.min_advanced), days),
            Line.of_day(row, table, "advanced_share", share, max(rule.min_share, expected), days),
        ]
        since = row["as_of_date"] - timedelta(days=days)
        in_window = (
            quote
            for quote in quotes
            if since < quote["happened_on"] <= row["as_of_date"]
            and quote["known_on"] <= row["as_of_date"] < quote["standing_until"]
        )
        newest = max(in_window, key=lambda quote: (quote["happened_at"], quote["tag_id"]), default=None)
        return lines if newest is None else [*lines, _quote_line(newest, days)]

    def describe_all(rows: Sequence[Row]) -> list[list[Line]]:
        quotes = _quotes(inputs, rows)
        return [describe(row, quotes[row["account_id"]]) for row in rows]

    return [Watch(level, readings, how_strong, describe_all)]


def questions(texts: Frame, tags: Frame) -> Frame:
    """Tickets as questions: requester x topic x day counts once, and is advanced as soon as one of its tickets is.

    Returns:
        account_id, requester_key, topic, happened_on, known_on (first known), advanced_on (first known to be advanced;
        null when basic), advanced_until (first day on which it no longer is; null when basic).
    """
    advanced = proven_advanced(tags).group_by("text_id").agg(advanced_until=_standing_until().max())
    is_advanced = ~nw.col("advanced_until").is_null()
    return (
        _tickets(texts)
        .join(advanced, on="text_id", how="left")
        .group_by("account_id", "requester_key", "topic", "happened_on")
        .agg(
            known_on=known_on.min(),
            advanced_on=nw.when(is_advanced).then(known_on).min(),
            advanced_until=nw.col("advanced_until").max(),
        )
    )


def proven_advanced(tags: Frame) -> Frame:
    """Tags that say advanced, with their quote found and nothing taken back."""
    return tags.filter(
        nw.col("label") == "advanced_intent", nw.col("is_quote_found"), nw.col("polarity") == "affirmed"
    )


def outages(texts: Frame, days: Frame, rule: AdvancedShiftRule) -> Frame:
    """Topics that many accounts asked about on one day, as it was known on each as-of date.

    Args:
        texts: Texts of the book.
        days: as_of_date, accounts (known on that day).
        rule: Book-wide, so the default segment's.

    Returns:
        as_of_date, topic, happened_on.
    """
    asked = (
        _tickets(texts)
        .filter(~nw.col("topic").is_null())
        .group_by("topic", "happened_on", "account_id")
        .agg(known_on=known_on.min())
    )
    # Few topics and days are ever asked about by enough of the smallest book: only those are counted anew for
    # each as-of date.
    crowded = (
        asked.group_by("topic", "happened_on")
        .agg(askers=nw.len())
        .join(days.select(nw.col("accounts").min()), how="cross")
        .filter(_is_outage(rule))
    )
    return (
        asked.join(crowded.select("topic", "happened_on"), on=["topic", "happened_on"])
        .join(days, how="cross")
        .filter(known_on <= as_of, happened_on <= as_of, happened_on >= as_of - timedelta(days=rule.baseline_from_days))
        .group_by("as_of_date", "topic", "happened_on", "accounts")
        .agg(askers=nw.len())
        .filter(_is_outage(rule))
        .select("as_of_date", "topic", "happened_on")
    )


def book_shares(asked: Frame, days: Frame, out: Frame, rule: AdvancedShiftRule) -> Frame:
    """Share of advanced questions in the baselines of all accounts together; 0 when nobody asked.

    Questions are tallied first, so that the cost grows with days and topics, not with accounts.

    Returns:
        as_of_date, book_share.
    """
    tallies = asked.group_by("topic", "happened_on", "known_on", "advanced_on", "advanced_until").agg(number=nw.len())
    baseline = (
        days.join(tallies, how="cross")
        .filter(known_on <= as_of, _in_baseline(rule))
        .join(out, on=["as_of_date", "topic", "happened_on"], how="anti")
        .group_by("as_of_date")
        .agg(
            number=nw.col("number").sum(),
            advanced=nw.when(_is_advanced()).then(nw.col("number")).otherwise(nw.lit(0)).sum(),
        )
    )
    share = nw.col("advanced").cast(nw.Float64) / nw.col("number").cast(nw.Float64)
    return days.join(baseline, on="as_of_date", how="left").select("as_of_date", book_share=share.fill_null(0.0))


def shift_readings(
    inputs: Inputs, level: Level[AdvancedShiftRule], window: Window, always: list[str]
) -> Frame:
    """Window against baseline, one row per account and watchable day; without accounts that cannot fire.

    Accounts of ``always`` are read anyway: those with an open firing, which may close.
    """
    default = level.rules.default
    oldest = window.start - timedelta(days=level.memory_days)
    account_day = (
        inputs.account_day.filter(as_of >= oldest, as_of < window.end)
        .select("account_id", "as_of_date", "segment", "watchable_support")
        .unique()
    )
    days = account_day.group_by("as_of_date").agg(accounts=nw.len())
    asked = questions(inputs.texts, inputs.tags)
    out = outages(inputs.texts, days, default)
    rows = (
        account_day.filter("watchable_support")
        .select("account_id", "as_of_date", "segment")
        .join(_candidates(asked, level), on="account_id", how="left")
        .filter(is_true(nw.col("is_candidate")) | nw.col("account_id").is_in(always))
    )
    # Before the window only a firing's calm days matter; elsewhere a day need not be counted to have been watchable.
    counted = rows.filter(window.holds() | nw.col("account_id").is_in(always))
    return (
        rows.join(question_counts(counted, asked, out, level), on=["account_id", "as_of_date"], how="left")
        .with_columns(nw.col(name).fill_null(0.0) for name in COUNTS)
        .join(book_shares(asked, days, out, default), on="as_of_date")
        .with_columns(baseline_share=per_segment(level.rules, _shrunk_share))
        .with_columns(
            subject_key=nw.lit("tickets"),
            epoch=nw.lit("first"),
            is_grace=nw.lit(False),
            is_met=per_segment(level.rules, _is_met),
            is_withdrawn=per_segment(level.rules, _is_withdrawn),
            is_scheduled=nw.lit(False),
        )
        .with_columns(is_calm=~nw.col("is_met"))
    )


COUNTS = (
    "questions", "advanced", "baseline_questions", "baseline_advanced", "advanced_requesters", "requesters",
    "advanced_topics", "withdrawn",
)


def question_counts(rows: Frame, asked: Frame, out: Frame, level: Level[AdvancedShiftRule]) -> Frame:
    """Counts of questions in window and baseline, by account and day; days without any question have no row."""
    in_window, in_baseline = per_segment(level.rules, _in_window), per_segment(level.rules, _in_baseline)
    requester, topic = nw.col("requester_key"), nw.col("topic")
    is_new, is_old = nw.col("in_window"), nw.col("in_baseline")
    is_advanced = nw.col("is_advanced")
    return (
        rows.join(asked, on="account_id")
        .filter(known_on <= as_of, in_window | in_baseline)
        .join(out, on=["as_of_date", "topic", "happened_on"], how="anti")
        .with_columns(in_window=in_window, in_baseline=in_baseline, is_advanced=_is_advanced())
        .group_by("account_id", "as_of_date")
        .agg(
            questions=_count(is_new),
            advanced=_count(is_new & is_advanced),
            withdrawn=_count(is_new & is_true(nw.col("advanced_until") == as_of)),
            baseline_questions=_count(is_old),
            baseline_advanced=_count(is_old & is_advanced),
            advanced_requesters=_distinct(nw.when(is_new & is_advanced).then(requester)),
            requesters=_distinct(requester),
            advanced_topics=_distinct(nw.when(is_new & is_advanced).then(topic)),
        )
        .with_columns(nw.col(name).cast(nw.Float64) for name in COUNTS)
    )


def _level(catalogue: Catalogue) -> Level[AdvancedShiftRule]:
    return Level.of(catalogue, TRIGGER, SUB_TRIGGER, lambda rule: rule.rearm_days)


def _tickets(texts: Frame) -> Frame:
    return texts.filter(nw.col("kind") == "ticket", ~nw.col("account_id").is_null())


def _in_window(rule: AdvancedShiftRule) -> nw.Expr:
    return (happened_on <= as_of) & (happened_on > as_of - timedelta(days=rule.window_days))


def _in_baseline(rule: AdvancedShiftRule) -> nw.Expr:
    return (happened_on <= as_of - timedelta(days=rule.baseline_to_days)) & (
        happened_on >= as_of - timedelta(days=rule.baseline_from_days)
    )


def _is_outage(rule: AdvancedShiftRule) -> nw.Expr:
    askers, accounts = nw.col("askers"), nw.col("accounts")
    return (askers >= rule.outage_min_accounts) & (askers >= rule.outage_min_share * accounts)


def _is_advanced() -> nw.Expr:
    return is_true((nw.col("advanced_on") <= as_of) & (nw.col("advanced_until") > as_of))


def _standing_until() -> nw.Expr:
    return nw.col("withdrawn_on").fill_null(date.max)


def _is_met(rule: AdvancedShiftRule) -> nw.Expr:
    share = nw.col("advanced") / nw.col("questions")
    is_sole_contact = (nw.col("requesters") == 1) & (nw.col("advanced_topics") >= rule.sole_contact_topics)
    return is_true(
        (nw.col("advanced") >= rule.min_advanced)
        & ((nw.col("advanced_requesters") >= rule.min_requesters) | is_sole_contact)
        & (share >= rule.min_share)
        & (share.round(DECIMALS) >= (nw.col("baseline_share") + rule.lift_points).round(DECIMALS))
    )


def _is_withdrawn(rule: AdvancedShiftRule) -> nw.Expr:
    advanced = nw.col("advanced")
    return (advanced < rule.min_advanced) & (advanced + nw.col("withdrawn") >= rule.min_advanced)


def _shrunk_share(rule: AdvancedShiftRule) -> nw.Expr:
    expected = nw.col("baseline_advanced") + rule.shrink_weight * nw.col("book_share")
    return expected / (nw.col("baseline_questions") + rule.shrink_weight)


def _candidates(asked: Frame, level: Level[AdvancedShiftRule]) -> Frame:
    """Accounts with enough advanced questions to fire on some day."""
    fewest = min(rule.min_advanced for rule in (level.rules.default, *level.rules.by_segment.values()))
    counted = asked.filter(~nw.col("advanced_on").is_null()).group_by("account_id").agg(advanced=nw.len())
    return counted.filter(nw.col("advanced") >= fewest).select("account_id", is_candidate=nw.lit(True))


def _open_accounts(prior: list[PriorFiring]) -> list[str]:
    return sorted({firing.account_id for firing in prior if firing.is_open})


def _count(condition: nw.Expr) -> nw.Expr:
    return condition.cast(nw.Int64).sum()


def _distinct(values: nw.Expr) -> nw.Expr:
    """Distinct values that are not null."""
    return values.n_unique() - values.is_null().any().cast(nw.Int64)


def _quotes(inputs: Inputs, crossed: Sequence[Row]) -> dict[str, list[Row]]:
    """Proven advanced quotes of the accounts that crossed, by account."""
    quotes: dict[str, list[Row]] = defaultdict(list)
    accounts = sorted({row["account_id"] for row in crossed})
    tickets = _tickets(inputs.texts).filter(nw.col("account_id").is_in(accounts))
    for row in rows_of(
        proven_advanced(inputs.tags)
        .select("tag_id", "text_id", "quote", standing_until=_standing_until())
        .join(tickets, on="text_id")
        .select(
            "account_id", "tag_id", "quote", "standing_until", "happened_at", "happened_on", "known_on", "source_table",
            "row_key",
        )
    ):
        quotes[row["account_id"]].append(row)
    return quotes


def _quote_line(quote: Row, window_days: int) -> Line:
    return Line(
        quote["source_table"], quote["row_key"], "advanced_intent", window_days=window_days,
        happened_at=quote["happened_at"], tag_id=quote["tag_id"], quote=quote["quote"],
    )
