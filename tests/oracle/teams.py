"""CROSS_TEAM: groups of users outside the deployment scope.

Belongs here: the group of a user, the scope, a group's readings.
Does not belong here: crossings and re-arming (``machine``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from .book import Book, Row, domain_of, lower
from .machine import Event, Reading, Subject, level_events
from .rules import Rules

TRIGGER, SUB_TRIGGER = "CROSS_TEAM", "new_department"


def cross_team(book: Book, rules: Rules, days: Sequence[int]) -> Iterator[Event]:
    """Events of every group of every account."""
    for account_id in book.accounts:
        readings: dict[str, list[Reading]] = {}
        for day in days:
            members = _members(book, account_id, day)
            for group in members:
                readings.setdefault(group, [])
            if book.watchable("product", account_id, day) and book.watchable("billing", account_id, day):
                for group, found in readings.items():
                    found.append(_reading(book, rules, account_id, group, members.get(group, []), day))
        for group, found in readings.items():
            yield from level_events(Subject(account_id, TRIGGER, SUB_TRIGGER, group), found)


def group_of(book: Book, account: Row, user_id: str, day: int, entry: Row | None) -> str | None:
    """Group of a user: department, else an e-mail domain other than the account's, else role.

    Args:
        book: What was known.
        account: The account's row.
        user_id: The user.
        day: The day whose knowledge counts.
        entry: The user's directory row.
    """
    user = book.user(user_id, day)
    if entry and entry["department"]:
        return f"department:{entry['department']}"
    domain = domain_of(user["email"]) if user else None
    if domain and domain != lower(account["domain"]):
        return f"domain:{domain}"
    role = (entry["role"] if entry else None) or (user["role"] if user else None)
    return f"role:{role}" if role else None


def _members(book: Book, account_id: str, day: int) -> dict[str, list[str]]:
    """Users active in the last 28 days by group."""
    members: dict[str, list[str]] = defaultdict(list)
    account = book.account(account_id, day)
    if account is not None:
        for user_id in book.active_users(account_id, day):
            entry = book.directory(book.user(user_id, day)["email"], day)
            group = group_of(book, account, user_id, day, entry)
            if group:
                members[group].append(user_id)
    return members


def _reading(book: Book, rules: Rules, account_id: str, group: str, members: list[str], day: int) -> Reading:
    account = book.account(account_id, day)
    rule = rules.of(TRIGGER, SUB_TRIGGER, account["segment"])
    window = range(day - rule["window_days"] + 1, day + 1)
    regular = [
        user for user in members
        if sum(book.used_on(account_id, user, used_on, day) for used_on in window) >= rule["min_days"]
    ]
    is_true = False
    if len(regular) >= rule["min_users"]:
        scope = deployment_scope(book, account_id, day, rule["scope_days"])
        renamed = [user for user in regular if f"department:{_earlier_department(book, user, day)}" in scope]
        is_true = group not in scope and len(renamed) < rule["rename_share"] * len(regular)
    return Reading(day, is_true, not is_true, rule["return_days"])


def deployment_scope(book: Book, account_id: str, day: int, scope_days: int) -> set[str]:
    """Groups that the deployment covers as known on a day.

    The departments that the licence names; if it names none, the groups of the first days of paid use, each user
    in the group that the directory gave on that day, or first gave afterwards.
    """
    licensed = book.licensed_departments(account_id, day)
    if licensed:
        return {f"department:{name}" for name in licensed}
    account = book.account(account_id, day)
    used = [
        (used_on, max(used_on, use.since), user_id)
        for user_id, days in book.usage[account_id].items()
        if book.is_employee(user_id, day)
        for used_on, uses in days.items()
        for use in uses
        if used_on <= day and use.since <= day < use.until
    ]
    if not used:
        return set()
    start = min(used_on for used_on, _, _ in used)
    if account["first_paid_on"] is not None:
        start = max(start, account["first_paid_on"].toordinal())
    scope = set()
    for user_id, counted_on in {(user, counted) for used_on, counted, user in used if start <= used_on < start + scope_days}:
        email = book.user(user_id, day)["email"]
        entry = book.directory(email, counted_on) or next(iter(book.directory_history(email, day)), None)
        scope.add(group_of(book, account, user_id, day, entry))
    return scope - {None}


def _earlier_department(book: Book, user_id: str, day: int) -> str | None:
    """The department that a user was in before the present one."""
    history = [row["department"] for row in book.directory_history(book.user(user_id, day)["email"], day)]
    now = history[-1] if history else None
    return next((name for name in reversed(history) if name and name != now), None)
