"""What the world is made of while it is planned: accounts, users, contacts, records with versions, the book.

Belongs here: state shared by the planning modules. Does not belong here: drawing, rules, files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from expansion_assets.world.names import FIRST_NAMES, LAST_NAMES, ascii_name
from expansion_assets.world.period import Period
from expansion_assets.world.streams import Streams
from expansion_assets.world.texts import TextBank
from expansion_assets.world.truth import Case
from expansion_assets.world.writer import Landing


@dataclass
class Record:
    """An entity that its source exports as changes: a first version and later ones."""

    table: str
    values: dict[str, Any]
    since: int
    """Day of the first version; at or below 0 it comes with the first load."""
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)

    def change(self, day: int, **values: Any) -> None:
        """Record a later version on a day."""
        self.changes.setdefault(day, {}).update(values)

    def at(self, day: int) -> dict[str, Any]:
        """Values as they stand at the end of a day."""
        values = dict(self.values)
        for changed_on in sorted(self.changes):
            if changed_on <= day:
                values |= self.changes[changed_on]
        return values

    def versions(self) -> list[tuple[int, dict[str, Any]]]:
        """(day, full row) of each version, in order."""
        return [(day, self.at(day)) for day in sorted({self.since, *self.changes})]


@dataclass
class User:
    """A login of the product. Use is drawn within ``span`` and stands for certain on ``days``."""

    user_id: str
    email: str
    department: str | None
    since: int
    kind: str = "employee"
    role: str = "member"
    span: tuple[int, int] | None = None
    """First and last day of drawn use; both are used for certain, and no gap reaches 28 days."""
    days: tuple[int, ...] = ()
    rate: float = 0.4
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    arrival_lag: int = 0
    """Days from use to arrival."""
    arrival_minute: int = 23 * 60 + 20
    """Minutes of the workspace's day at which use arrives; 1440 is midnight, and so the next day."""
    seat_from: int | None = None
    seat_until: int | None = None
    moves: dict[int, str] = field(default_factory=dict)
    """Department changes in the directory by day."""
    addresses: dict[int, str] = field(default_factory=dict)
    """Later e-mail addresses by the day on which the product knows them."""
    directory_lag: int = 0
    """Days by which the directory knows a later address after the product."""


@dataclass
class Contact:
    """A person at the customer as the CRM knows them."""

    name: str
    email: str
    record: Record


@dataclass
class QuotaMonth:
    """Planned consumption of a meter: the share reached on ``day`` of its month."""

    day: int
    share: float


@dataclass
class Account:
    """One customer: what was sold, who is there, and which cases it carries."""

    number: int
    account_id: str
    name: str
    domain: str
    segment: str
    country: str
    currency: str
    seats: int
    seat_price: int
    function: str
    departments: list[str]
    licensed: tuple[str, ...]
    start: int
    owner_id: str
    ae_id: str
    restricts: bool = False
    modules: tuple[str, ...] = ()
    meter: str | None = None
    meter_limit: int = 0
    quota_peaks: list[QuotaMonth] = field(default_factory=list)
    pool_share: float = 0.5
    idle_share: float = 0.15
    has_identity: bool = True
    is_reserved: bool = False
    is_steady: bool = False
    """True when a case counts on this account's users: no turnover, no late rows."""
    keeps_contract: bool = False
    """True when a case plans the contract itself: no play sells more seats."""
    churn_day: int | None = None
    slots: dict[str, str] = field(default_factory=dict)
    users: list[User] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    rotas: list[tuple[str, int, int]] = field(default_factory=list)
    """(department, from, to): at least three of its users work on every working day."""
    crm: Record | None = None
    seat_line: Record | None = None
    lines: list[Record] = field(default_factory=list)
    busy_support: list[tuple[int, int]] = field(default_factory=list)
    """Days on which only planned tickets may come in."""
    busy_meetings: list[tuple[int, int]] = field(default_factory=list)
    """Days on which no other external meeting is held."""
    calls: list[int] = field(default_factory=list)
    """Days of calls that a case needs."""
    mailboxes: set[str] = field(default_factory=set)
    counters: Counter[str] = field(default_factory=Counter)

    @property
    def first_use(self) -> int:
        """First day on which the product is used in the world."""
        return max(self.start, 0)

    def sequence(self, prefix: str) -> str:
        """Next id of a kind within the account, so that ids of other accounts do not move."""
        self.counters[prefix] += 1
        return f"{prefix}-{self.number:04d}-{self.counters[prefix]:04d}"

    def person(self, rng: Random, domain: str | None = None) -> tuple[str, str]:
        """A new person's name and e-mail, unique within the account."""
        while True:
            first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
            email = f"{ascii_name(first)}.{ascii_name(last)}@{domain or self.domain}"
            if email not in self.mailboxes:
                self.mailboxes.add(email)
                return f"{first} {last}", email

    def namesake(self, email: str) -> str:
        """Address that the company gives to a second person of one name."""
        name, _, domain = email.partition("@")
        number = 2
        while (other := f"{name}{number}@{domain}") in self.mailboxes:
            number += 1
        self.mailboxes.add(other)
        return other

    def contact(self, deal_role: str) -> Contact:
        """First contact with a deal role; KeyError when there is none."""
        for contact in self.contacts:
            if contact.record.values["deal_role"] == deal_role:
                return contact
        raise KeyError(deal_role)


@dataclass
class Book:
    """Everything that is being planned."""

    period: Period
    streams: Streams
    bank: TextBank
    landing: Landing
    release_day: int
    """Day of the release that lifts the fleet."""
    outage_day: int
    pseudonym_key: str
    """The answer key names people as the warehouse does."""
    accounts: list[Account] = field(default_factory=list)
    owners: list[dict[str, Any]] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    @property
    def horizon(self) -> int:
        """Last day number."""
        return self.period.length - 1

    def add_case(
        self,
        name: str,
        account: Account,
        trigger: str,
        sub_trigger: str,
        subject_key: str | None,
        window: tuple[int, int],
        note: str,
        decoy_kind: str | None = None,
    ) -> Case:
        """Write one line of the answer key; the window is clipped to the world."""
        number = sum(case.case_id.rpartition("-")[0] == name for case in self.cases) + 1
        case = Case(
            case_id=f"{name}-{number:02d}",
            account_id=account.account_id,
            trigger=trigger,
            sub_trigger=sub_trigger,
            subject_key=subject_key,
            is_true=decoy_kind is None,
            decoy_kind=decoy_kind,
            expected_from=self.period.day(max(window[0], 0)),
            expected_to=self.period.day(min(window[1], self.horizon)),
            note=note,
        )
        self.cases.append(case)
        return case

    def owner_country(self, owner_id: str) -> str:
        """Country of an owner."""
        return next(owner["country"] for owner in self.owners if owner["owner_id"] == owner_id)

    def month_start(self, number: int) -> date:
        """First day of the month of a day number."""
        return self.period.day(number).replace(day=1)
