"""CROSS_TEAM: groups of users outside the deployment scope.

Belongs here: the group of a user, the scope, a group's readings.
Does not belong here: crossings and re-arming (``machine``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from .book import Book, Row, department_name, domain_of, lower
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
                rule = rules.of(TRIGGER, SUB_TRIGGER, book.account(account_id, day)["segment"])
                scope = deployment_scope(book, account_id, day, rule["scope_days"])
                for group, found in readings.items():
                    if not _is_comparable(book, account_id, group, day):
                        continue
                    is_true = group not in scope and _is_arrived(
                        book, rule, account_id, members.get(group, []), scope, day
                    )
                    found.append(Reading(day, is_true, not is_true, rule["return_days"]))
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
    department = department_name(entry["department"]) if entry else None
    if department:
        return f"department:{department}"
    domain = domain_of(user["email"]) if user else None
    if domain and domain != lower(account["domain"]):
        return f"domain:{domain}"
    role = (entry["role"] if entry else None) or book.product_role(user_id, day)
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


def _is_comparable(book: Book, account_id: str, group: str, day: int) -> bool:
    """Departments need the directory; a licence that names departments says nothing of roles."""
    kind = group.split(":")[0]
    if kind == "department":
        return book.watchable("identity", account_id, day)
    return kind == "domain" or not book.licensed_departments(account_id, day)


def _is_arrived(
    book: Book, rule: dict[str, Any], account_id: str, members: list[str], scope: set[str], day: int
) -> bool:
    """Whether enough of a group's users are regular ones and it is no renamed team of the scope."""
    people: dict[str, list[str]] = defaultdict(list)
    for user in members:
        people[book.person(user, day)].append(user)
    window = range(day - rule["window_days"] + 1, day + 1)
    regular = [
        users for users in people.values()
        if sum(any(book.used_on(account_id, user, used_on, day) for user in users) for used_on in window)
        >= rule["min_days"]
    ]
    renamed = [users for users in regular if any(_earlier_departments(book, user, day) & scope for user in users)]
    return len(regular) >= rule["min_users"] and len(renamed) < rule["rename_share"] * len(regular)


def deployment_scope(book: Book, account_id: str, day: int, scope_days: int) -> set[str]:
    """Groups that the deployment covers as known on a day.

    The departments that the licence names; if it names none, the groups of the first days of paid use, each
    user in the group that the directory gave on that day, or first gave afterwards.
    """
    licensed = book.licensed_departments(account_id, day)
    if licensed:
        return {f"department:{name}" for name in licensed}
    account = book.account(account_id, day)
    users = [user for user in book.usage[account_id] if book.is_employee(user, day)]
    start = _first_use(book, account_id, users, day)
    if start is None:
        return set()
    if account["first_paid_on"] is not None:
        start = max(start, account["first_paid_on"].toordinal())
    scope = set()
    for user_id in users:
        email = book.user(user_id, day)["email"]
        history = book.directory_history(email, day)
        for used_on in range(start, min(start + scope_days, day + 1)):
            uses = book.usage[account_id][user_id].get(used_on, ())
            arrived = [use.since for use in uses if use.since <= day < use.until]
            if arrived:
                counted_on = max(used_on, min(arrived))
                entry = book.directory(email, counted_on) or (history[0] if history else None)
                scope.add(group_of(book, account, user_id, day, entry))
    return scope - {None}


def _first_use(book: Book, account_id: str, users: list[str], day: int) -> int | None:
    used_on_days = sorted({used_on for user in users for used_on in book.usage[account_id][user]})
    return next(
        (
            used_on for used_on in used_on_days
            if any(book.used_on(account_id, user, used_on, day) for user in users)
        ),
        None,
    )


def _earlier_departments(book: Book, user_id: str, day: int) -> set[str]:
    """Department groups that a user was in before the present one."""
    history = book.directory_history(book.user(user_id, day)["email"], day)
    departments = [department_name(row["department"]) for row in history]
    return {f"department:{name}" for name in departments if name and name != departments[-1]}
