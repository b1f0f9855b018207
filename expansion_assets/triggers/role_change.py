"""ROLE_CHANGE: a person who matters to the contract joins, rises, changes or leaves.

Belongs here: which moves fire, one firing per person and move, the episode of a leaver and a successor. Does
not belong here: how a move is observed (``features.contact_moves``), how a title is read
(``catalogue/titles.py``), who may be shown (the gates). Moves are few, so the frame only selects them; titles
need regular expressions and are read in Python.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue
from expansion_assets.catalogue.rules import strength
from expansion_assets.triggers.base import (
    WITHDRAWN,
    Detection,
    Evidence,
    FiringEvent,
    Inputs,
    Line,
    PriorFiring,
    Row,
    Window,
    bare_day,
    evidence_lines,
    firing_id,
    follow_up,
    rows_of,
)

TRIGGER = "ROLE_CHANGE"
NEW_EXECUTIVE, CHAMPION_LEFT = "new_executive", "champion_left"
PROMOTION, RENEWAL_CONTACT = "promotion", "renewal_contact"
SUB_TRIGGERS = (CHAMPION_LEFT, NEW_EXECUTIVE, PROMOTION, RENEWAL_CONTACT)
"""In the order in which one day's moves are judged: a loss comes before the successor who softens it."""
OBSERVED = ("known_on", "known_at", "happened_at", "withdrawn_on", "segment", "source", "source_table", "row_key")
"""Columns of ``features.contact_moves`` that a counted move keeps as they are."""
COUNTERPART = {NEW_EXECUTIVE: CHAMPION_LEFT, CHAMPION_LEFT: NEW_EXECUTIVE}


class Subject(NamedTuple):
    """What opens once within ``dedupe_days``."""

    account_id: str
    person_key: str
    sub_trigger: str


@dataclass(frozen=True, slots=True)
class Move:
    """One observation of a move that counts for a sub-trigger."""

    subject: Subject
    known_on: date
    known_at: datetime
    happened_at: datetime
    withdrawn_on: date | None
    segment: str | None
    function: str | None
    source: str
    source_table: str
    row_key: str
    title: str | None
    rank: float | None
    least_rank: float | None
    """Rank to beat: of the rule for an executive, of the old title for a promotion."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A firing of this trigger, old or new."""

    subject: Subject
    opened_on: date
    is_suppressed: bool
    function: str | None
    withdrawn_on: date | None
    """Day on which every source had taken the move back."""

    def covers(self, day: date, days: int) -> bool:
        """Whether a move known on this day, at most ``days`` after, is still this firing's."""
        is_standing = self.withdrawn_on is None or self.withdrawn_on > day
        return is_standing and (day - self.opened_on).days < days


def lookback_days(catalogue: Catalogue) -> int:
    """Days before the window that detection reads: other sources of one move, and the episode."""
    return max(catalogue.rules(TRIGGER, name).most(lambda rule: rule.dedupe_days) for name in SUB_TRIGGERS)


def detect(inputs: Inputs, window: Window, catalogue: Catalogue) -> Detection:
    """One firing per account, person and sub-trigger within ``dedupe_days``.

    It is superseded once every source that told the move has taken it back; a later move may then fire anew.

    Args:
        inputs: contact_moves are read.
        window: Days to compute.
        catalogue: Ranks, functions and windows of days.
    """
    observed = rows_of(recent_moves(inputs, window, catalogue))
    moves = sorted(counted_moves(observed, catalogue), key=_order)
    by_subject: dict[Subject, list[Move]] = defaultdict(list)
    for move in moves:
        by_subject[move.subject].append(move)
    prior = [firing for name in SUB_TRIGGERS for firing in inputs.prior_of(TRIGGER, name)]
    openings = defaultdict(list, _earlier(prior, by_subject, catalogue))

    events = []
    for move in moves:
        known = openings[move.subject.account_id]
        if move.known_on not in window or not _is_new(move, known, catalogue):
            continue
        withdrawn_on = _withdrawn_on(move.known_on, by_subject[move.subject], catalogue)
        is_suppressed = _is_same_episode(move, known, catalogue)
        opening = Opening(move.subject, move.known_on, is_suppressed, move.function, withdrawn_on)
        known.append(opening)
        events.append(_event(opening, move, by_subject[move.subject], catalogue))
    events += [
        _superseded(opening, catalogue)
        for known in openings.values()
        for opening in known
        if opening.withdrawn_on is not None and opening.withdrawn_on in window and not opening.is_suppressed
    ]
    evidence = [
        line
        for known in openings.values()
        for opening in known
        for line in _evidence(opening, by_subject[opening.subject], window, catalogue)
    ]
    return Detection.of(events, evidence)


def recent_moves(inputs: Inputs, window: Window, catalogue: Catalogue) -> nw.LazyFrame[Any]:
    """Moves known in the window or in the look-back that may count; none that was taken back on the day it came."""
    oldest = window.start - timedelta(days=lookback_days(catalogue))
    known_on, withdrawn_on = nw.col("known_on"), nw.col("withdrawn_on")
    return inputs.contact_moves.filter(
        known_on >= oldest,
        known_on < window.end,
        ~nw.col("person_key").is_null(),
        withdrawn_on.is_null() | (withdrawn_on > known_on),
    )


def counted_moves(observed: Iterable[Row], catalogue: Catalogue) -> Iterator[Move]:
    """Read each observed move as a move of a sub-trigger; most are none."""
    titles = catalogue.titles
    for row in observed:
        title = row["from_title"] if row["move"] == "left" else row["to_title"]
        function = titles.function(row["function"]) or titles.function(title)
        sub_trigger = _sub_trigger(row, function, catalogue)
        if sub_trigger is None:
            continue
        least_rank = titles.rank(row["from_title"]) if sub_trigger == PROMOTION else None
        if sub_trigger == NEW_EXECUTIVE:
            least_rank = titles.rank_of(catalogue.rules(TRIGGER, NEW_EXECUTIVE).of(row["segment"]).min_rank)
        yield Move(
            subject=Subject(row["account_id"], row["person_key"], sub_trigger),
            function=function,
            title=title,
            rank=titles.rank(title),
            least_rank=least_rank,
            **{name: row[name] for name in OBSERVED},
        )


def near_misses(
    inputs: Inputs, accounts: Collection[str], window: Window, catalogue: Catalogue
) -> dict[str, dict[str, Counter[str]]]:
    """Moves that are of a rule's kind and do not count: account -> rule -> reason -> number of observations."""
    titles = catalogue.titles
    found: dict[str, dict[str, Counter[str]]] = {account: defaultdict(Counter) for account in accounts}
    moves = recent_moves(inputs, window, catalogue).filter(nw.col("account_id").is_in(sorted(accounts)))
    for row in rows_of(moves):
        title = row["from_title"] if row["move"] == "left" else row["to_title"]
        function = titles.function(row["function"]) or titles.function(title)
        if _sub_trigger(row, function, catalogue) is not None:
            continue
        missed = found[row["account_id"]]
        match row["move"]:
            case "joined" if _has_been_there(row, catalogue):
                missed[NEW_EXECUTIVE]["said to join, but had been a contact before"] += 1
            case "joined":
                missed[NEW_EXECUTIVE]["joined below the rank, or in another function"] += 1
            case "title_changed":
                is_known = row["is_known_contact"]
                missed[PROMOTION]["title changed, rank did not rise" if is_known else "not a known contact"] += 1
            case "deal_role_changed":
                missed[RENEWAL_CONTACT]["deal role changed, renewal contact did not"] += 1
            case "left":
                missed[CHAMPION_LEFT]["somebody left who was no champion"] += 1
    return found


def _sub_trigger(row: Row, function: str | None, catalogue: Catalogue) -> str | None:
    titles = catalogue.titles
    match row["move"]:
        case "joined":
            rule = catalogue.rules(TRIGGER, NEW_EXECUTIVE).of(row["segment"])
            rank = titles.rank(row["to_title"])
            functions = {*rule.functions, titles.function(row["using_function"])} - {None}
            is_executive = rank is not None and rank >= titles.rank_of(rule.min_rank)
            is_new = not _has_been_there(row, catalogue)
            return NEW_EXECUTIVE if is_executive and is_new and function in functions else None
        case "title_changed":
            before, after = titles.rank(row["from_title"]), titles.rank(row["to_title"])
            # A title that appears where there was none is better knowledge, not a change.
            has_risen = before is not None and after is not None and after > before
            return PROMOTION if has_risen and row["is_known_contact"] else None
        case "deal_role_changed":
            before = row["previous_renewal_contact_key"]
            is_other = before is not None and before != row["person_key"]
            return RENEWAL_CONTACT if row["to_deal_role"] == "renewal_contact" and is_other else None
        case "left":
            return CHAMPION_LEFT if row["current_deal_role"] == "champion" else None
    return None


def _has_been_there(row: Row, catalogue: Catalogue) -> bool:
    """Whether a person said to join had been a contact for long: a new address, or a new owner, is no arrival."""
    days, rule = row["contact_days"], catalogue.rules(TRIGGER, NEW_EXECUTIVE).of(row["segment"])
    return days is not None and days > rule.contact_days


def _order(move: Move) -> tuple[Any, ...]:
    rank = SUB_TRIGGERS.index(move.subject.sub_trigger)
    return (move.known_on, rank, move.known_at, move.subject, move.source, move.row_key)


def _earlier(
    prior: Iterable[PriorFiring], by_subject: Mapping[Subject, Sequence[Move]], catalogue: Catalogue
) -> dict[str, list[Opening]]:
    """Firings before the window by account; their function is that of the move that opened them."""
    earlier: dict[str, list[Opening]] = defaultdict(list)
    for firing in prior:
        subject = Subject(firing.account_id, firing.subject_key, firing.sub_trigger)
        moves = by_subject.get(subject, ())
        function = next((move.function for move in moves if move.known_on == firing.opened_on), None)
        withdrawn_on = _withdrawn_on(firing.opened_on, moves, catalogue)
        is_suppressed = firing.last_event_type == "suppressed"
        earlier[firing.account_id].append(Opening(subject, firing.opened_on, is_suppressed, function, withdrawn_on))
    return earlier


def _withdrawn_on(opened_on: date, moves: Sequence[Move], catalogue: Catalogue) -> date | None:
    """Day on which all that was told of a move since the opening is taken back; none after ``dedupe_days``."""
    ours = [move for move in moves if move.known_on >= opened_on]
    if not ours:
        return None
    days = catalogue.rules(TRIGGER, ours[0].subject.sub_trigger).of(ours[0].segment).dedupe_days
    return bare_day(((move.known_on, move.withdrawn_on) for move in ours), opened_on + timedelta(days=days - 1))


def _is_new(move: Move, openings: Iterable[Opening], catalogue: Catalogue) -> bool:
    days = catalogue.rules(TRIGGER, move.subject.sub_trigger).of(move.segment).dedupe_days
    return not any(opening.subject == move.subject and opening.covers(move.known_on, days) for opening in openings)


def _is_same_episode(move: Move, openings: Iterable[Opening], catalogue: Catalogue) -> bool:
    """Whether the other half of a leaver and successor of one function opened shortly before."""
    counterpart = COUNTERPART.get(move.subject.sub_trigger)
    days = catalogue.rules(TRIGGER, CHAMPION_LEFT).of(move.segment).episode_days
    return move.function is not None and any(
        opening.subject.sub_trigger == counterpart
        and opening.subject.account_id == move.subject.account_id
        and opening.function == move.function
        and not opening.is_suppressed
        and opening.covers(move.known_on, days + 1)
        for opening in openings
    )


def _event(opening: Opening, move: Move, moves: Iterable[Move], catalogue: Catalogue) -> FiringEvent:
    rule = catalogue.rules(TRIGGER, move.subject.sub_trigger).of(move.segment)
    sources = {other.source for other in moves if other.known_on == move.known_on}
    return FiringEvent(
        account_id=move.subject.account_id,
        trigger=TRIGGER,
        sub_trigger=move.subject.sub_trigger,
        subject_key=move.subject.person_key,
        event_type="suppressed" if opening.is_suppressed else "opened",
        as_of_date=move.known_on,
        opened_on=move.known_on,
        happened_at=move.happened_at,
        known_at=move.known_at,
        catalogue_version=catalogue.version,
        reason="same_episode" if opening.is_suppressed else None,
        strength=strength(len(sources), 1, rule.limit_sources),
        is_shadow=catalogue.sub_trigger(TRIGGER, move.subject.sub_trigger).state == "shadow",
    )


def _superseded(opening: Opening, catalogue: Catalogue) -> FiringEvent:
    assert opening.withdrawn_on is not None
    account_id, person_key, sub_trigger = opening.subject
    return follow_up(
        account_id, TRIGGER, sub_trigger, person_key, opening.opened_on, "superseded", opening.withdrawn_on, WITHDRAWN,
        catalogue,
    )


def _evidence(opening: Opening, moves: Iterable[Move], window: Window, catalogue: Catalogue) -> list[Evidence]:
    """The first word of each source; one that speaks later adds a line on the day it is known."""
    subject = opening.subject
    first_words: dict[str, Move] = {}
    for move in moves:
        days = catalogue.rules(TRIGGER, subject.sub_trigger).of(move.segment).dedupe_days
        if 0 <= (move.known_on - opening.opened_on).days < days:
            first_words.setdefault(move.source, move)
    firing = firing_id(subject.account_id, subject.sub_trigger, subject.person_key, opening.opened_on)
    lines = evidence_lines(firing, ((move.known_on, _line(move)) for move in first_words.values()))
    return [line for line in lines if line.as_of_date in window]


def _line(move: Move) -> Line:
    return Line(
        move.source_table, move.row_key, move.subject.sub_trigger, move.rank, move.least_rank,
        happened_at=move.happened_at, quote=move.title,
    )
