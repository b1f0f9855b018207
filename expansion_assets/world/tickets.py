"""Support tickets: filing one with its later versions, and the ordinary ones.

Belongs here: ticket rows. Does not belong here: tickets that make a case (``cases/advanced_tickets.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from expansion_assets.world.model import Account, Book
from expansion_assets.world.texts import Text

_DESK_DELAY = timedelta(minutes=12)
_PER_YEAR, _PER_BOOK_YEAR = (
    5,
    300,
)  # 336 basic texts: what is left serves the cases; a small book writes more often
_MAX_SAME_TOPIC_A_DAY = 3  # below the five accounts that make an outage
_SINGLE_ADVANCED_SHARE = 0.15


def requesters(account: Account) -> list[str]:
    """People who write to the desk: regular users, heaviest first."""
    users = [
        user
        for user in account.users
        if user.kind == "employee" and user.span and user.span[0] <= account.first_use + 20
    ]
    return [user.email for user in sorted(users, key=lambda user: (-user.rate, user.user_id))]


def department_of(account: Account, email: str) -> str | None:
    """Department of a requester at first sight; None when the account has no such user."""
    return next((user.department for user in account.users if user.email == email), None)


def file_ticket(
    book: Book,
    account: Account,
    day: int,
    requester: str,
    text: Text,
    rng: Random,
    *,
    topic: str | None = None,
    names_account: bool = True,
    stays_open: bool = False,
    created: datetime | None = None,
) -> datetime:
    """Write one ticket and its later versions; returns when it was created (UTC; working hours where not given)."""
    period = book.period
    created = created or period.working_moment(account.country, day, rng)
    priority = rng.choices(("low", "normal", "high", "urgent"), weights=(25, 62, 10, 3))[0]
    row = {
        "ticket_id": account.sequence("TCK"),
        "account_id": account.account_id if names_account else None,
        "requester_email": requester,
        "department": department_of(account, requester),
        "subject": text["subject"],
        "body": text["text"],
        "topic": topic or text["topic"],
        "priority": priority,
        "status": "open",
        "is_escalated": False,
        "created_at": created,
        "closed_at": None,
    }
    book.landing.add("support_tickets", created + _DESK_DELAY, row)
    if priority in ("high", "urgent") and rng.random() < 0.3:
        row = row | {"is_escalated": True, "status": "pending"}
        book.landing.add("support_tickets", created + timedelta(hours=26), row)
    if not stays_open:
        solved_on = period.add_business(account.country, day, rng.choice((1, 2, 2, 3, 5, 8)))
        solved = max(period.working_moment(account.country, solved_on, rng), created + timedelta(hours=30))
        row = row | {"status": "solved", "is_escalated": False, "closed_at": solved}
        book.landing.add("support_tickets", solved + _DESK_DELAY, row)
    return created


def add_ordinary_tickets(book: Book) -> None:
    """Getting-started and how-to tickets through the year, a single advanced question here and there.

    An account's days around its planned tickets stay free, and no topic comes up in many accounts on one day.
    """
    filed: Counter[tuple[int, str]] = Counter()
    per_year = max(_PER_YEAR, _PER_BOOK_YEAR / len(book.accounts))
    for account in book.accounts:
        rng = book.streams.random("tickets", account.number)
        first, last = account.first_use, account.churn_day or book.horizon
        writers = requesters(account)[:8]
        if account.slots.get("support") == "sole-contact":
            writers = writers[:1]
        count = max(2, round(per_year * (last - first) / 365 * rng.uniform(0.6, 1.4)))
        days = sorted(rng.randrange(first, last) for _ in range(count))
        advanced = rng.random() < _SINGLE_ADVANCED_SHARE and "support" not in account.slots
        for place, day in enumerate(days):
            day = book.period.next_business(account.country, day)
            if day > book.horizon or any(start <= day <= end for start, end in account.busy_support):
                continue
            bank = "tickets_advanced" if advanced and place == 1 else "tickets_basic"
            text = book.bank.take(bank, _is_uncrowded(filed, day))
            filed[day, text["topic"]] += 1
            requester = rng.choice(writers)
            file_ticket(
                book,
                account,
                day,
                requester,
                text,
                rng,
                names_account=rng.random() > 0.06,
                stays_open=day > book.horizon - 3 or rng.random() < 0.03,
            )


def _is_uncrowded(filed: Counter[tuple[int, str]], day: int) -> Callable[[Text], bool]:
    return lambda text: filed[day, text["topic"]] < _MAX_SAME_TOPIC_A_DAY
