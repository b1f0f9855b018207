"""Customers who say that a neighbouring problem is solved elsewhere, and sentences that only sound like it.

Belongs here: ADJACENT_USE. Does not belong here: ordinary answers, tickets and calls (``feedback.py``, ``tickets.py``).
"""

from __future__ import annotations

from random import Random

from expansion_assets.world.cases.kinds import Kind, Plant
from expansion_assets.world.feedback import answer_survey, plan_meeting, write_transcript
from expansion_assets.world.model import Account, Book
from expansion_assets.world.texts import Text
from expansion_assets.world.tickets import file_ticket, requesters

_TRIGGER = "ADJACENT_USE"
_SUB_TRIGGER = "adjacent_problem"
_CHANNELS = ("ticket", "nps", "turn")
_REPEATED_AFTER = 40
_KNOWN_DAYS = 7  # the rule looks at texts known in the last seven days


def _quiet(account: Account) -> bool:
    return (
        account.start < 0
        and account.churn_day is None
        and not account.is_reserved
        and "support" not in account.slots
    )


def _say(book: Book, account: Account, day: int, text: Text, rng: Random) -> int:
    """Let the customer say it through the text's own channel; returns the day on which it is known."""
    person = requesters(account)[0]
    if text["kind"] == "ticket":
        file_ticket(book, account, day, person, text, rng)
        return day
    if text["kind"] == "nps":
        answer_survey(book, account, day, person, text, rng, names_account=rng.random() < 0.7)
    else:
        account.calls.append(day)
        meeting_id, start = plan_meeting(book, account, "check_in", day, rng)
        write_transcript(book, account, meeting_id, start, "call", rng, said=text)
    return day + 1


def plant_mention(book: Book, account: Account, day: int, rng: Random) -> None:
    """A mention of a problem that the book has heard least of, through ticket, survey and call in turn."""
    heard = [case.subject_key for case in book.cases if case.sub_trigger == _SUB_TRIGGER and case.is_true]
    turn = len(heard)
    channel = _CHANNELS[turn % len(_CHANNELS)]
    rounds = turn // 12  # each channel knows at least 13 of the 14 problems
    text = book.bank.take(
        "adjacent",
        lambda text: (
            text["kind"] == channel and heard.count(text["problem_key"]) <= rounds and _is_plain(text)
        ),
    )
    known = _say(book, account, day, text, rng)
    note = f"{channel}: {text['tool']} for {text['problem_key']}"
    book.add_case("adjacent", account, _TRIGGER, _SUB_TRIGGER, text["problem_key"], (known, known + 1), note)
    again = book.period.next_business(account.country, day + _REPEATED_AFTER)
    if turn % 4 == 0 and again + _KNOWN_DAYS <= book.horizon:
        _repeat(book, account, again, text["problem_key"], rng)


def _is_plain(text: Text) -> bool:
    """Keep the problem "other" out: it names no subject that a second mention could share."""
    return text["problem_key"] != "other"


def _repeat(book: Book, account: Account, day: int, problem: str, rng: Random) -> None:
    text = book.bank.take(
        "adjacent", lambda text: text["problem_key"] == problem and text["kind"] in ("ticket", "nps")
    )
    known = _say(book, account, day, text, rng)
    note = f"{problem} again after {_REPEATED_AFTER} days"
    window = (known, known + _KNOWN_DAYS)
    book.add_case("adjacent-again", account, _TRIGGER, _SUB_TRIGGER, problem, window, note, "same_problem")


def _plant_decoy(decoy_kind: str) -> Plant:
    def plant(book: Book, account: Account, day: int, rng: Random) -> None:
        text = book.bank.take(
            "adjacent_decoys", lambda text: text["decoy_kind"] == decoy_kind and text["kind"] in _CHANNELS
        )
        known = _say(book, account, day, text, rng)
        name = f"adjacent-{decoy_kind.replace('_', '-')}"
        note = f"{text['kind']}, {decoy_kind.replace('_', ' ')}"
        window = (known, known + _KNOWN_DAYS)
        book.add_case(name, account, _TRIGGER, _SUB_TRIGGER, None, window, note, decoy_kind)

    return plant


KINDS = (Kind("adjacent", "text", 12, 8, plant_mention, suits=_quiet),)
DECOYS = tuple(
    Kind(
        f"adjacent-{decoy_kind.replace('_', '-')}",
        "text",
        2,
        8,
        _plant_decoy(decoy_kind),
        suits=_quiet,
        settle=8,
    )
    for decoy_kind in ("negated", "hypothetical", "quoted", "vendor_side", "replaced", "figurative")
)
