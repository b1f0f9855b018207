"""What people did with the cards: the play log, the meetings and the sales that follow true cases.

Belongs here: reactions to planted cases, monthly reviews. Does not belong here: ordinary meetings and sales.
The mix is fixed per trigger, so that the scan has timely, late, missing and unlogged plays to tell apart.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from expansion_assets.world.accounts import change_seats
from expansion_assets.world.commerce import add_opportunity, sell_module
from expansion_assets.world.feedback import plan_meeting
from expansion_assets.world.model import Account, Book
from expansion_assets.world.truth import Case

_MIX = (
    "timely",
    "late",
    "timely",
    "missing",
    "unlogged",
    "timely",
    "rejected",
    "late",
    "timely",
    "too_early",
)
_SLA_DAYS = {"USAGE_MILESTONE": 5, "champion_left": 5}  # catalogue/plays.yml; ten working days for all others
_DEFAULT_SLA_DAYS = 10
_MEETINGS = {
    "USAGE_MILESTONE": "capacity",
    "ROLE_CHANGE": "introduction",
    "CROSS_TEAM": "department",
    "ADVANCED_TICKETS": "build",
    "ADJACENT_USE": "discovery",
}
_TOGETHER_DAYS = (
    75  # cases this close on one account share their fate, as their meetings cannot be told apart
)
_UNHELD_DAYS = 60
_OUTCOMES = ("won", "not yet", "won", "no interest", "lost", "won", "not yet")
_SKIPPED_REVIEWS = (4, 8)
_NOTES = {
    "won": "Signed off by their side, order form is back.",
    "lost": "They will stretch what they have; budget went elsewhere.",
    "not yet": "Wants it, but after the new budget year starts.",
    "no interest": "Polite no. One site was busy, the rest is fine.",
    "relationship": "Good first talk, steering date is set for next month.",
}
_REJECTIONS = ("already in hand", "wrong person", "customer asked us to wait", "figures look wrong")


def add_plays(book: Book) -> None:
    """Give every true case its fate and write what follows from it."""
    turns: dict[str, int] = {}
    fates: dict[str, list[tuple[int, str]]] = {}
    for case in sorted(
        (case for case in book.cases if case.is_true), key=lambda case: (case.expected_from, case.case_id)
    ):
        account = next(item for item in book.accounts if item.account_id == case.account_id)
        opened = book.period.number(
            case.expected_to if case.trigger == "ADVANCED_TICKETS" else case.expected_from
        )
        earlier = [fate for day, fate in fates.get(account.account_id, []) if opened - day <= _TOGETHER_DAYS]
        turn = turns.get(case.trigger, 0)
        fate = earlier[0] if earlier else _MIX[turn % len(_MIX)]
        if not earlier:
            turns[case.trigger] = turn + 1
        if fate == "missing" and any(opened <= call <= opened + _UNHELD_DAYS for call in account.calls):
            fate = "timely"
        fates.setdefault(account.account_id, []).append((opened, fate))
        _Play(book, account, case, opened, book.streams.random("play", case.case_id), turn).write(fate)
    _add_reviews(book)


def firing_id(case: Case) -> str:
    """Id of the firing that a case opens on its first expected day."""
    text = f"{case.account_id}|{case.sub_trigger}|{case.subject_key}|{case.expected_from}"
    return sha256(text.encode()).hexdigest()[:16]


class _Play:
    """One card's way through people's hands."""

    def __init__(self, book: Book, account: Account, case: Case, opened: int, rng: Random, turn: int) -> None:
        self.book, self.account, self.case, self.opened, self.rng, self.turn = (
            book,
            account,
            case,
            opened,
            rng,
            turn,
        )
        self.country = book.owner_country(account.owner_id)
        self.sla = _SLA_DAYS.get(case.sub_trigger, _SLA_DAYS.get(case.trigger, _DEFAULT_SLA_DAYS))
        self.entries = 0

    def write(self, fate: str) -> None:
        due = self._after(self.sla)
        held = (
            self._after(self.sla + self.rng.randrange(3, 8))
            if fate == "late"
            else self._after(self.rng.randrange(2, self.sla))
        )
        if due > self.book.horizon:
            fate = "open"
        elif held > self.book.horizon - 2:
            fate = "missing"
        self.case.play_status = fate
        self._log("delivered", self.opened + 1, actor="site")
        if fate in ("missing", "late"):
            end = held - 1 if fate == "late" else self.opened + _UNHELD_DAYS
            self.account.busy_meetings.append((self.opened, end))
        if fate == "missing" and self.turn % 2:
            return
        self._log("acknowledged", self._after(1))
        if fate == "rejected":
            self._log("rejected", self._after(2), reason=self.rng.choice(_REJECTIONS))
        elif fate == "too_early":
            until = self.book.period.day(self.opened + self.rng.randrange(45, 80))
            self._log("too_early", self._after(2), reason="project freeze until then", until=until)
        elif fate not in ("missing", "open"):
            self._hold(held, is_logged=fate != "unlogged")

    def _hold(self, held: int, *, is_logged: bool) -> None:
        self._log("accepted", self._after(1))
        self._log("play_started", self._after(1))
        plan_meeting(self.book, self.account, _MEETINGS[self.case.trigger], held, self.rng)
        if not is_logged:
            return
        self._log("outreach_sent", self._after(1))
        self._log("customer_responded", max(self._after(1), held - 1))
        self._log("conversation_held", held)
        concluded = self._from(held, self.rng.randrange(1, 6))
        if self.case.trigger == "ROLE_CHANGE":
            self._log("outcome_logged", concluded, reason="relationship", note=_NOTES["relationship"])
            return
        outcome = _OUTCOMES[self.turn % len(_OUTCOMES)]
        if outcome == "won":
            self._win(held, self._from(held, self.rng.randrange(8, 22)))
        elif outcome == "not yet":
            until = self.book.period.day(concluded + self.rng.randrange(60, 95))
            self._log("outcome_logged", concluded, reason=outcome, until=until, note=_NOTES[outcome])
        else:
            if outcome == "lost":
                add_opportunity(self.account, self.book, "seats", 4000.0, held + 1, held + 24, is_won=False)
            self._log("outcome_logged", concluded, reason=outcome, note=_NOTES[outcome])

    def _win(self, held: int, closed: int) -> None:
        """Close a sale; every other one is linked to the firing by the owner. Past the world's end it stays open."""
        is_closed = closed + 5 <= self.book.horizon and "before-full" not in self.case.case_id
        kind, amount = self._sell(closed) if is_closed else ("seats", 5000.0)
        link = (
            firing_id(self.case) if self.turn % 2 == 0 and self.case.trigger != "ADVANCED_TICKETS" else None
        )
        add_opportunity(
            self.account, self.book, kind, amount, held + 1, closed if is_closed else None, firing_id=link
        )
        if link:
            self._log("opportunity_linked", self._from(held, 1))
        if is_closed:
            self._log(
                "outcome_logged",
                closed,
                reason="won",
                amount=amount,
                currency=self.account.currency,
                note=_NOTES["won"],
            )

    def _sell(self, closed: int) -> tuple[str, float]:
        account, case = self.account, self.case
        starts = closed + 5
        if account.keeps_contract:
            return "services", 2500.0
        if case.sub_trigger in ("seats", "seats_full"):
            more = round(0.45 * account.seats)
            change_seats(account, self.book, starts, account.seats + more)
            return "seats", float(more * account.seat_price)
        if case.trigger == "CROSS_TEAM":
            change_seats(
                account, self.book, starts, account.seats + 6, str(case.subject_key).partition(":")[2]
            )
            return "departments", float(6 * account.seat_price)
        if sale := sell_module(account, self.book, closed):
            return "modules", sale[1]
        return "services", 2500.0

    def _after(self, days: int) -> int:
        return self._from(self.opened, days)

    def _from(self, day: int, days: int) -> int:
        return self.book.period.add_business(self.country, day, days)

    def _log(self, event_type: str, day: int, actor: str | None = None, **more: Any) -> None:
        self.entries += 1
        moment = datetime.combine(self.book.period.day(day), time(7, 30)) + timedelta(
            minutes=41 * self.entries
        )
        row = {
            "event_id": self.account.sequence("PLAY"),
            "account_id": self.account.account_id,
            "trigger": self.case.trigger,
            "event_type": event_type,
            "at": moment,
            "actor": actor or self.account.owner_id,
        } | more
        self.book.landing.add("play_log", moment + timedelta(minutes=5), row)


def _add_reviews(book: Book) -> None:
    head = next(owner for owner in book.owners if owner["role"] == "head")
    for number, (start, _) in enumerate(book.period.months()):
        if number == 0 or number in _SKIPPED_REVIEWS:
            continue
        day = book.period.add_business(head["country"], start, 3)
        moment = book.period.working_moment(head["country"], day, book.streams.random("review", number))
        month = book.period.day(start - 1)
        row = {
            "event_id": f"REVIEW-{month:%Y-%m}",
            "event_type": "review_signed",
            "at": moment,
            "actor": head["owner_id"],
            "note": f"Review of {month:%B %Y}",
        }
        book.landing.add("play_log", moment + timedelta(minutes=5), row)
