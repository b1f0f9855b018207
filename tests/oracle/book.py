"""Raw rows as they were known at the end of a day.

Belongs here: versions, how a record reaches its account, watchability, who was who in the directory.
Does not belong here: thresholds and triggers.

Days are ordinals (``date.toordinal``). A version is known on the days [since, until).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import yaml

FOREVER = 10**7
ACTIVE_DAYS = 28
FRESH_DAYS = {"product": 3, "metered": 3, "identity": 35, "support": 14}
FREE_MAIL = {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "gmx.de", "web.de"}
IDENTITY_RULES = Path(__file__).parents[2] / "expansion_assets" / "catalogue" / "identity.yml"
DEMO_KEY = b"demo-world-without-real-people"
Row = Mapping[str, Any]


class Version(NamedTuple):
    """A raw row and the days on which it was what we knew."""

    row: Row
    since: int
    until: int


class Use(NamedTuple):
    """One feature used by one user on one day, and when that was known."""

    feature: str
    since: int
    until: int


def known(versions: Iterable[Version], day: int) -> list[Row]:
    """Rows known at the end of a day."""
    return [version.row for version in versions if version.since <= day < version.until]


def last_known(versions: list[Version], day: int) -> Row | None:
    """The newest row known at the end of a day; versions are oldest first."""
    for row, since, until in reversed(versions):
        if since <= day < until:
            return row
    return None


@cache
def lower(text: str | None) -> str | None:
    """Trimmed lower case; None for nothing."""
    return (text.strip().lower() or None) if text else None


@cache
def department_name(text: str | None) -> str | None:
    """Lower case with single spaces, because directory and licence spell alike only by accident."""
    return " ".join(text.lower().split()) or None if text else None


def domain_of(email: str | None) -> str | None:
    """Domain of an e-mail address; None without one."""
    email = lower(email)
    return email.rsplit("@", 1)[1] if email and "@" in email else None


@cache
def mailbox(email: str | None) -> str | None:
    """What tells people apart: no capitals, no display name, no plus tag; None without a domain."""
    text = lower(email)
    if text is None:
        return None
    if text.endswith(">"):
        text = text[text.rindex("<") + 1 : -1]
    local, at, host = text.rpartition("@")
    return f"{local.split('+')[0]}@{host}" if at and "." in host else None


@cache
def person_key(account_id: str, email: str | None, name: str | None) -> str:
    """Pseudonym of a person under the demo world's key: by e-mail, else by account and name."""
    if mailbox(email):
        return _signed(f"mailbox|{mailbox(email)}")
    return hashlib.md5((account_id + _signed(f"name|{lower(name)}")).encode()).hexdigest()


def _signed(text: str) -> str:
    return hmac.new(DEMO_KEY, text.encode(), "sha256").hexdigest()[:32]


@cache
def is_machine_or_guest(email: str | None) -> bool:
    """Whether a rule on the part before the @ takes the address out of usage; the demo world needs no other rule."""
    rules = yaml.safe_load(IDENTITY_RULES.read_text(encoding="utf-8"))["user_kind_rules"]
    local = (mailbox(email) or "").partition("@")[0]
    return any(re.fullmatch(rule["local_part"], local) for rule in rules if "local_part" in rule and local)


class Book:
    """The raw tables of a book of accounts, indexed by account.

    Args:
        tables: Table name -> rows, one per version; see ``oracle.firing_events``.
        zone: Workspace time zone; its midnight ends a day.
    """

    def __init__(self, tables: Mapping[str, Iterable[Row]], zone: str = "UTC") -> None:
        """Index the rows once."""
        self._zone = ZoneInfo(zone)
        self._is_utc = zone == "UTC"
        self._versions = {
            table: [self._version(row) for row in rows]
            for table, rows in tables.items()
            if table != "product_usage"
        }
        self.accounts = self._by("crm_accounts", "account_id")
        self._lines_by_id = self._by("billing_subscription_lines", "line_id")
        self._accounts_by_domain = defaultdict(list)
        for version in self.table("crm_accounts"):
            self._accounts_by_domain[lower(version.row["domain"])].append(version)
        self.lines = self._by("billing_subscription_lines", "account_id")
        self.seats = self._by("product_seat_assignments", "account_id")
        self.contacts = self._by("crm_contacts", "account_id")
        self._users = self._by("product_users", "user_id")
        self._users_of_person = defaultdict(set)
        for version in self.table("product_users"):
            self._users_of_person[mailbox(version.row["email"])].add(version.row["user_id"])
        self._directory = defaultdict(list)
        for version in sorted(self.table("identity_directory"), key=lambda item: item.since):
            self._directory[mailbox(version.row["email"])].append(version)
        self._features = self.table("product_features")
        self._core: dict[int, set[str]] = {}
        self._index_usage(tables.get("product_usage", ()))
        self.metered = self._index_metered()
        self._index_presence()

    def table(self, name: str) -> list[Version]:
        """All versions of a table; none when the data set has no such table."""
        return self._versions.get(name, [])

    def day_of(self, moment: date) -> int:
        """Workspace day of a date or of a naive UTC instant."""
        if isinstance(moment, datetime) and not self._is_utc:
            moment = moment.replace(tzinfo=UTC).astimezone(self._zone)
        return moment.toordinal()

    def account(self, account_id: str, day: int) -> Row | None:
        """The account as known on a day."""
        return last_known(self.accounts.get(account_id, []), day)

    def accounts_known(self, day: int) -> dict[str, Row]:
        """All accounts known on a day."""
        return {key: row for key in self.accounts if (row := self.account(key, day))}

    def owners(self, version: Version, domain: str | None = None) -> Iterator[tuple[str, int, int]]:
        """Accounts that a record belongs to, with the days [since, until) on which that was known.

        By id, else by e-mail or web domain, else by subscription line.
        """
        row, since, until = version
        if row.get("account_id"):
            yield row["account_id"], since, until
            return
        domain = lower(domain)
        if domain and domain not in FREE_MAIL and domain in self._accounts_by_domain:
            links = self._accounts_by_domain[domain]
        else:
            links = self._lines_by_id.get(row.get("subscription_id"), [])
        for link in links:
            if max(since, link.since) < min(until, link.until):
                yield link.row["account_id"], max(since, link.since), min(until, link.until)

    def watchable(self, source: str, account_id: str, day: int) -> bool:
        """Whether a source has rows, is fresh in the book and is matched for the account on a day."""
        fresh_days = FRESH_DAYS.get(source)
        arrivals = self._arrivals[source]
        if fresh_days and not any(day - back in arrivals for back in range(fresh_days)):
            return False
        spans = self._presence[source].get(account_id, ())
        is_matched = any(since <= day < until for since, until in spans)
        return is_matched and self.account(account_id, day) is not None

    def user(self, user_id: str, day: int) -> Row | None:
        """A product user as known on a day."""
        return last_known(self._users.get(user_id, []), day)

    def is_employee(self, user_id: str, day: int) -> bool:
        """Whether a user counts: service, internal, contractor and vendor users do not."""
        user = self.user(user_id, day)
        return user is not None and user["user_kind"] == "employee" and not is_machine_or_guest(user["email"])

    def person(self, user_id: str, day: int) -> str:
        """Who a product user is: the mailbox, or the user itself when none is known."""
        user = self.user(user_id, day)
        return (mailbox(user["email"]) if user else None) or user_id

    def people(self, user_ids: Iterable[str], day: int) -> set[str]:
        """Persons behind product users, each once."""
        return {self.person(user_id, day) for user_id in user_ids}

    def product_role(self, user_id: str, day: int) -> str | None:
        """Role of the person's newest user record that names one."""
        person = self.person(user_id, day)
        rows = [self.user(other, day) for other in {user_id, *self._users_of_person.get(person, ())}]
        named = [
            row for row in rows
            if row and row["role"] and (mailbox(row["email"]) == person or row["user_id"] == user_id)
        ]
        return max(named, key=lambda row: row["known_from"])["role"] if named else None

    def directory(self, email: str | None, day: int) -> Row | None:
        """A person in the customer's directory as known on a day."""
        return last_known(self._directory.get(mailbox(email), []), day)

    def directory_history(self, email: str | None, day: int) -> list[Row]:
        """All that the directory had said about a person by a day, oldest first."""
        return [version.row for version in self._directory.get(mailbox(email), ()) if version.since <= day]

    def department(self, user_id: str, day: int) -> str | None:
        """Department of a user as known on a day."""
        user = self.user(user_id, day)
        entry = self.directory(user["email"], day) if user else None
        return department_name(entry["department"]) if entry else None

    def core_features(self, day: int) -> set[str]:
        """Features of the core tier as known on a day."""
        if day not in self._core:
            self._core[day] = {row["feature"] for row in known(self._features, day) if row["tier"] == "core"}
        return self._core[day]

    def active_users(self, account_id: str, day: int) -> list[str]:
        """Employees with known use in the 28 days that end on a day."""
        if (account_id, day) not in self._active_users:
            self._active_users[account_id, day] = [
                user for user, active in self._active_days.get(account_id, {}).items()
                if day in active and self.is_employee(user, day)
            ]
        return self._active_users[account_id, day]

    def used_on(
        self, account_id: str, user_id: str, used_on: int, day: int, features: set[str] | None = None
    ) -> bool:
        """Whether a user used the product (or one of some features) on a day, as known on another."""
        return any(
            use.since <= day < use.until and (features is None or use.feature in features)
            for use in self.usage[account_id][user_id].get(used_on, ())
        )

    def valid_lines(self, account_id: str, day: int) -> list[Row]:
        """Contract lines that run on a day, as known on it."""
        return [
            row for row in known(self.lines.get(account_id, ()), day)
            if row["starts_on"].toordinal() <= day
            and (row["ends_on"] is None or day < row["ends_on"].toordinal())
        ]

    def licensed_departments(self, account_id: str, day: int) -> set[str]:
        """Departments that the running lines name."""
        named = (row["licensed_departments"] or "" for row in self.valid_lines(account_id, day))
        found = {department_name(name) for names in named for name in names.split("|")}
        return {name for name in found if name}

    def _version(self, row: Row) -> Version:
        until = FOREVER if row["known_to"] is None else self.day_of(row["known_to"])
        return Version(row, self.day_of(row["known_from"]), until)

    def _by(self, table: str, column: str) -> dict[str, list[Version]]:
        index: dict[str, list[Version]] = defaultdict(list)
        for version in self.table(table):
            index[version.row[column]].append(version)
        for versions in index.values():
            versions.sort(key=lambda item: (item.row["known_from"], item.row["version_no"]))
        return dict(index)

    def _index_usage(self, rows: Iterable[Row]) -> None:
        """usage[account][user][used_on] = uses; 28 days of activity follow from each."""
        self.usage: dict[str, dict[str, dict[int, list[Use]]]] = defaultdict(lambda: defaultdict(dict))
        self._usage_arrivals: set[int] = set()
        for row in rows:
            version = self._version(row)
            self._usage_arrivals.add(version.since)
            if row["user_id"] is None:
                continue
            used_on = row["used_on"].toordinal()
            for account_id, since, until in self.owners(version):
                days = self.usage[account_id][row["user_id"]]
                days.setdefault(used_on, []).append(Use(row["feature"], since, until))
        self._active_users: dict[tuple[str, int], list[str]] = {}
        self._active_days: dict[str, dict[str, set[int]]] = {}
        for account_id, users in self.usage.items():
            self._active_days[account_id] = {
                user: {
                    day
                    for used_on, uses in days.items()
                    for since, until in {(use.since, use.until) for use in uses}
                    for day in range(max(used_on, since), min(used_on + ACTIVE_DAYS, until))
                }
                for user, days in users.items()
            }

    def _index_metered(self) -> dict[str, dict[str, dict[int, list[Version]]]]:
        """metered[account][meter][used_on] = versions."""
        metered: dict[str, dict[str, dict[int, list[Version]]]] = defaultdict(lambda: defaultdict(dict))
        for version in self.table("product_metered_usage"):
            days = metered[version.row["account_id"]][version.row["meter"]]
            days.setdefault(version.row["used_on"].toordinal(), []).append(version)
        return metered

    def _index_presence(self) -> None:
        """When rows of each source reached the book, and on which days each account had one."""
        sources = {
            "metered": [("product_metered_usage", None)],
            "identity": [("identity_directory", "email")],
            "billing": [("billing_subscription_lines", None)],
            "support": [("support_tickets", "requester_email")],
            "text": [
                ("support_tickets", "requester_email"), ("feedback_nps", "email"), ("crm_owner_notes", None),
                ("meetings_notes", None), ("meetings_turns", None),
            ],
        }
        self._arrivals: dict[str, set[int]] = {"product": self._usage_arrivals}
        self._presence: dict[str, dict[str, set[tuple[int, int]]]] = {
            "product": {
                account_id: {
                    (use.since, use.until)
                    for days in users.values()
                    for uses in days.values()
                    for use in uses
                }
                for account_id, users in self.usage.items()
            }
        }
        for source, tables in sources.items():
            self._arrivals[source], self._presence[source] = set(), defaultdict(set)
            for table, email in tables:
                for version in self.table(table):
                    self._arrivals[source].add(version.since)
                    for owner, since, until in self.owners(version, domain_of(version.row.get(email))):
                        self._presence[source][owner].add((since, until))
