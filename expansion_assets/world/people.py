"""People at the customer: contacts of the CRM, their moves, and the outside sources that report them.

Belongs here: contacts, the rows of every people source, ordinary comings and goings without a change of rank.
Does not belong here: moves that matter (``cases/role_change.py``), product users (``population.py``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from expansion_assets.world.accounts import export_record
from expansion_assets.world.model import Account, Book, Contact, Record
from expansion_assets.world.names import FUNCTION_LABELS

_CONSENT = ((True, "consent"), (True, "legitimate_interest"), (None, "contract"), (None, None), (False, None))
WEBHOOK_DELAY = timedelta(minutes=18)


def add_contact(
    account: Account, rng: Random, since: int, title: str | None, deal_role: str, function: str | None = None,
    person: tuple[str, str] | None = None,
) -> Contact:
    """Give the account one more contact (``person``: name and e-mail; a new one), first exported on ``since``."""
    name, email = person or account.person(rng)
    has_consent, lawful_basis = rng.choices(_CONSENT, weights=(50, 20, 15, 10, 5))[0]
    values = {
        "contact_id": account.sequence("CON"),
        "account_id": account.account_id,
        "name": name,
        "email": email,
        "title": title,
        "function": function or account.function,
        "deal_role": deal_role,
        "has_consent": has_consent,
        "lawful_basis": lawful_basis,
        "status": "active",
    }
    contact = Contact(name, email, Record("crm_contacts", values, since))
    account.contacts.append(contact)
    return contact


def add_contacts(account: Account, book: Book) -> None:
    """Champion, sponsor, renewal contact and a few users, known from the account's first day."""
    rng = book.streams.random("contacts", account.number)
    label = FUNCTION_LABELS[account.function]
    since = account.start - 12 if account.start >= 0 else -rng.randrange(20, 200)
    add_contact(account, rng, since, rng.choice((f"Senior Manager, {label}", f"{label} Manager")), "champion")
    add_contact(account, rng, since, rng.choice((f"VP {label}", f"Director of {label}")), "executive_sponsor")
    renewal = rng.choice(("Procurement Manager", "Purchasing Specialist", "Category Manager, Procurement"))
    add_contact(account, rng, since, renewal, "renewal_contact", "procurement")
    for title in rng.sample(
        (f"{label} Analyst", f"{label} Coordinator", f"{label} Specialist", "Process Analyst"), 3
    ):
        add_contact(account, rng, since, title, "user")


def report_webhook(book: Book, account: Account, moment: datetime, **row: Any) -> None:
    """Write a change that the CRM pushes within minutes."""
    row = {"change_id": account.sequence("CHG"), "account_id": account.account_id, "changed_at": moment} | row
    book.landing.add("crm_contact_role_changes", moment + WEBHOOK_DELAY, row)


def report_alert(book: Book, account: Account, day: int, known_on: int, **row: Any) -> None:
    """Write a job-change alert about a move of ``day`` that the provider delivers on ``known_on``."""
    row = {
        "alert_id": account.sequence("JOB"),
        "account_domain": account.domain,
        "happened_on": book.period.day(day),
    } | row
    book.landing.add("people_job_alerts", book.period.nightly(known_on - 1), row)


def report_signature(
    book: Book, account: Account, moment: datetime, email: str, before: str | None, after: str
) -> None:
    """Write a title seen to change in a signature; loaded in the night after."""
    row = {
        "change_id": account.sequence("SIG"),
        "email": email,
        "from_title": before,
        "to_title": after,
        "seen_at": moment,
    }
    day = book.period.number(moment.date())
    book.landing.add("people_signature_changes", book.period.nightly(day), row)


def report_absence(book: Book, account: Account, moment: datetime, email: str, pattern: str) -> None:
    """Write an out-of-office pattern; loaded in the night after."""
    row = {"pattern_id": account.sequence("OOO"), "email": email, "pattern": pattern, "seen_at": moment}
    day = book.period.number(moment.date())
    book.landing.add("people_absence_patterns", book.period.nightly(day), row)


def add_ordinary_moves(account: Account, book: Book) -> None:
    """Analysts who join, leave or change desks: no rank rises, nobody with a part in the deal moves."""
    rng = book.streams.random("moves", account.number)
    period = book.period
    low, high = max(account.start, 0) + 10, book.horizon - 5
    if high - low < 20 or account.churn_day is not None:
        return
    for _ in range(rng.choice((0, 1, 1, 2)) * max(1, period.length // 365)):
        day = period.next_business(account.country, rng.randrange(low, high))
        moment = period.working_moment(account.country, day, rng)
        users = [
            item
            for item in account.contacts
            if item.record.values["deal_role"] == "user" and not item.record.changes
        ]
        choice = rng.random()
        if choice < 0.4:
            contact = add_contact(account, rng, day, f"{FUNCTION_LABELS[account.function]} Analyst", "user")
            title = contact.record.values["title"]
            report_webhook(
                book,
                account,
                moment,
                contact_id=contact.record.values["contact_id"],
                email=contact.email,
                move="joined",
                to_title=title,
                function=account.function,
            )
            report_signature(book, account, moment + timedelta(days=3), contact.email, None, title)
        elif choice < 0.6 and len(users) > 2:
            users[-1].record.change(day, status="left")
        elif choice < 0.8 and users:
            before = users[0].record.values["title"]
            users[0].record.change(day, title="Process Analyst")
            if before != "Process Analyst":
                report_signature(book, account, moment, users[0].email, before, "Process Analyst")
        elif users:
            report_absence(book, account, moment, users[0].email, "long_absence")
            report_absence(book, account, moment + timedelta(days=24), users[0].email, "back")


def export(account: Account, book: Book) -> None:
    """Write every version of the account's contacts."""
    for contact in account.contacts:
        export_record(contact.record, "updated_at", account.country, book)
