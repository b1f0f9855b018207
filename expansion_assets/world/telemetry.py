"""Meters, limits met, workflows and exports.

Belongs here: product sources other than users and daily use. Does not belong here: ``usage.py``, ``population.py``.
"""

from __future__ import annotations

from expansion_assets.world.model import Account, Book

_BUILDERS_EVERY = 9  # one account in nine has a month of building


def _last(account: Account, book: Book) -> int:
    return account.churn_day or book.horizon


def add_meters(book: Book) -> None:
    """Daily consumption of metered limits, and what happens at a limit."""
    for account in book.accounts:
        if account.meter:
            _add_meter(account, book)
        _add_limit_events(account, book)


def _add_meter(account: Account, book: Book) -> None:
    rng = book.streams.random("meter", account.number)
    period = book.period
    level = rng.uniform(0.42, 0.62)
    for start, end in period.months():
        level = min(0.70, max(0.38, level + rng.uniform(-0.05, 0.06)))
        weights = [
            (1.0 if period.is_business(account.country, number) else 0.22) * rng.uniform(0.85, 1.15)
            for number in range(start, end)
        ]
        factor = account.meter_limit * level / sum(weights)
        peak = next((peak for peak in account.quota_peaks if start <= peak.day < end), None)
        if peak:
            reach = sum(weights[: peak.day - start + 1])
            factor = account.meter_limit * peak.share / reach
            # Near its limit the account holds back.
            weights[peak.day - start + 1 :] = [weight * 0.15 for weight in weights[peak.day - start + 1 :]]
        for number, weight in zip(range(start, end), weights, strict=True):
            if number > _last(account, book):
                break
            row = {
                "account_id": account.account_id,
                "meter": account.meter,
                "used_on": period.day(number),
                "quantity": round(factor * weight),
            }
            book.landing.add("product_metered_usage", period.evening(number), row)


def _add_limit_events(account: Account, book: Book) -> None:
    rng = book.streams.random("limits", account.number)
    employees = [
        user
        for user in account.users
        if user.kind == "employee" and user.span and user.span[0] <= account.first_use + 20
    ]
    period, first, last = book.period, account.first_use, _last(account, book)
    count = rng.choice((0, 0, 1, 2, 4))
    days = [rng.randrange(first, last) for _ in range(count)]
    for peak in account.quota_peaks:
        days += [min(peak.day + offset, book.horizon) for offset in (0, 1, 2, 5)]
    for number in days:
        kind = (
            "api_limit"
            if account.meter and rng.random() < 0.6
            else rng.choice(("feature_cap", "access_denied", "storage_cap"))
        )
        row = {
            "event_id": account.sequence("LIM"),
            "account_id": account.account_id,
            "user_id": rng.choice(employees).user_id,
            "kind": kind,
            "feature": "custom_reports" if kind in ("feature_cap", "access_denied") else None,
            "occurred_at": period.working_moment(account.country, number, rng),
        }
        book.landing.add("product_limit_events", period.evening(number), row)
    for number in range(first + rng.randrange(0, 7), last, 9):
        number = period.next_business(account.country, number)
        if number > book.horizon:
            break
        is_export = rng.random() < 0.4
        created: dict[str, object] = {
            "event_id": account.sequence("WFL"),
            "account_id": account.account_id,
            "user_id": rng.choice(employees).user_id,
            "kind": "export" if is_export else "workflow_created",
            "quantity": float(rng.randrange(40, 4000)) if is_export else 1.0,
            "occurred_at": period.working_moment(account.country, number, rng),
        }
        book.landing.add("product_workflow_events", period.evening(number), created)
    if account.number % _BUILDERS_EVERY == 4:
        _build_workflows(account, employees[0].user_id, book)


def _build_workflows(account: Account, user_id: str, book: Book) -> None:
    """A month in which somebody turns half of the department's forms into workflows."""
    rng = book.streams.random("workflow month", account.number)
    start = rng.randrange(account.first_use, max(_last(account, book) - 30, account.first_use + 1))
    for number in sorted(book.period.next_business(account.country, start + rng.randrange(25)) for _ in range(9)):
        if number > book.horizon:
            break
        row = {
            "event_id": account.sequence("WFL"),
            "account_id": account.account_id,
            "user_id": user_id,
            "kind": "workflow_created",
            "quantity": 1.0,
            "occurred_at": book.period.working_moment(account.country, number, rng),
        }
        book.landing.add("product_workflow_events", book.period.evening(number), row)
