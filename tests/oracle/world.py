"""A builder of small books for the oracle's own tests.

Belongs here: raw rows and tags with as few words as possible. Does not belong here: expectations.
Day 0 is Monday 2026-01-05; every fact happens and is known at noon of its day unless said otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from .machine import Event
from .oracle import firing_events

DAY_0 = date(2026, 1, 5)


def on(day: int) -> date:
    return DAY_0 + timedelta(days=day)


def at(day: int) -> datetime:
    return datetime.combine(on(day), time(12))


class World:
    """Rows of a small book; `until` is the day on which the next version replaced a row."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.tags: list[dict[str, Any]] = []
        self.numbers = 0

    def add(self, table: str, known: int = 0, until: int | None = None, version: int = 1, **row: Any) -> str:
        self.numbers += 1
        key = row.pop("row_key", f"row-{self.numbers}")
        self.tables[table].append(
            row | {
                "row_key": key, "known_from": at(known), "known_to": None if until is None else at(until),
                "version_no": version, "happened_at": row.pop("happened_at", at(known)),
            }
        )
        return key

    def account(self, key: str, first_paid: int | None = None, **row: Any) -> None:
        row = {"segment": "smb", "country": "DE", "using_function": "operations", "status": "customer"} | row
        first_paid_on = None if first_paid is None else on(first_paid)
        self.add("crm_accounts", account_id=key, domain=f"{key}.com", first_paid_on=first_paid_on, **row)

    def line(
        self, account: str, unit: str, quantity: float, departments: str | None = None, **row: Any
    ) -> None:
        row = {"starts_on": on(0), "ends_on": None, "billing_period": "month"} | row
        self.add(
            "billing_subscription_lines", line_id=f"{account}-{unit}", account_id=account, unit=unit,
            quantity=quantity, licensed_departments=departments, **row,
        )

    def user(self, account: str, name: str, department: str | None = None, kind: str = "employee") -> None:
        email = f"{name}@{account}.com"
        self.add(
            "product_users", user_id=f"{account}/{name}", account_id=account, email=email, user_kind=kind,
            role="member",
        )
        if department:
            self.add("identity_directory", account_id=account, email=email, department=department, role=None)

    def use(self, account: str, name: str, days: Iterable[int], lag: int = 0) -> None:
        for day in days:
            self.add(
                "product_usage", known=day + lag, account_id=account, subscription_id=None,
                user_id=f"{account}/{name}", used_on=on(day), feature="inbox", event_count=1,
            )

    def noise(self, length: int, account: str = "noise") -> None:
        self.account(account)
        self.user(account, "nobody")
        self.use(account, "nobody", range(length))

    def ticket(
        self, account: str, day: int, requester: str, topic: str, is_advanced: bool = False
    ) -> None:
        key = self.add(
            "support_tickets", known=day, account_id=account, requester_email=requester, topic=topic
        )
        if is_advanced:
            self.tag("support_tickets", key, "advanced_intent")

    def tag(self, table: str, key: str, label: str, **tag: Any) -> None:
        values = {"problem_key": None, "polarity": "affirmed", "is_quote_found": True} | tag
        self.tags.append({"source_table": table, "row_key": key, "label": label, **values})

    def events(self, length: int, sub_trigger: str, account: str = "a") -> list[tuple[int, str, str | None]]:
        """(day, event type, reason) of one sub-trigger of an account."""
        return [
            ((event.as_of_date - DAY_0).days, event.event_type, event.reason)
            for event in self.all(length) if event.sub_trigger == sub_trigger and event.account_id == account
        ]

    def all(self, length: int) -> list[Event]:
        return firing_events(self.tables, self.tags, [on(day) for day in range(length)])

    def alert(self, day: int, move: str, email: str, **row: Any) -> None:
        values = {"person_name": None, "from_title": None, "to_title": None, "function": None} | row
        values.setdefault("happened_on", on(day))
        self.add(
            "people_job_alerts", known=day, account_domain="A.com", person_email=email, move=move, **values
        )

    def contact(
        self, email: str, known: int = 0, version: int = 1, until: int | None = None, **row: Any
    ) -> None:
        values = {"name": None, "title": "Ops Lead", "function": "operations", "deal_role": "user"} | row
        self.add(
            "crm_contacts", known=known, until=until, version=version, contact_id=email, account_id="a",
            email=email, status="active", **values,
        )
