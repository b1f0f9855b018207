"""Random books in which triggers fire: seats that fill, teams that arrive, people who come and go, questions that turn.

Belongs here: raw rows and tags of small books, untidy in known time: late rows, corrections, deletions, an outage of
the product's export. Does not belong here: what follows from them (``tests/oracle`` and the project say that, each
for itself).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.dbt.raw_tables import RawTables, at

FIRST = date(2025, 2, 17)
DAYS = 150
ACCOUNTS = 8
SOURCES_EVERY = 5
_CORE, _OTHER = ("board", "search"), ("export", "api")
_TITLES = ("Analyst", "Finance Manager", "Director Operations", "VP Finance", "CFO", "Head of IT", None)
_OUTAGE_TOPIC = "login"


@dataclass
class StoryBook:
    """Rows and planted tags of one book."""

    seed: int
    raw: RawTables = field(default_factory=RawTables)
    tags: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        start = self.rng.randrange(60, 110)
        self.silent = range(start, start + 7)
        self.outage_day = self.rng.randrange(70, 120)
        for feature in _CORE + _OTHER:
            tier = "core" if feature in _CORE else "advanced"
            self.raw.add("product_features", FIRST, feature=feature, tier=tier, module="Core", introduced_on=FIRST)
        for number in range(ACCOUNTS):
            self._account(number)

    def tag(self, table: str, row_key: str, label: str, problem: str | None = None) -> None:
        """Plant a tag; a few are unproven or negated, and count for nothing."""
        self.tags.append({
            "source_table": table, "row_key": row_key, "label": label, "problem_key": problem,
            "polarity": self.rng.choice(("affirmed",) * 9 + ("negated",)), "is_quote_found": self.rng.random() < 0.95,
        })

    def known(self, number: int) -> date:
        """The day a fact of a day becomes known: mostly the same, sometimes late."""
        return on(number + self.rng.choice((0,) * 9 + (1, 2, 6)))

    def _account(self, number: int) -> None:
        rng, account = self.rng, f"A{number}"
        row = {
            "account_id": account, "name": f"Account {number}", "domain": f"{account.lower()}.example",
            "segment": rng.choice(("smb", "mid_market", "enterprise")), "country": rng.choice(("DE", "US", "FR", None)),
            "using_function": rng.choice(("operations", "finance")), "status": "customer", "owner_id": "O1",
            "first_paid_on": on(rng.choice((-300, -300, -70, -40, 5))),
        }
        self.raw.add("crm_accounts", FIRST, **row, updated_at=at(FIRST, 9))
        if rng.random() < 0.3:
            changed = rng.randrange(20, DAYS)
            grown = row | {"segment": "enterprise"}
            self.raw.add("crm_accounts", on(changed), **grown, updated_at=at(on(changed), 9))
        users = self._users(account)
        self._contract(account, users)
        self._people(account)
        self._questions(account)
        self._mentions(account)

    def _users(self, account: str) -> list[str]:
        """Teams with their users and what each user does when."""
        rng = self.rng
        teams = [("Finance", 0, 5), ("Operations", 0, 4)]
        teams += [(rng.choice(("Legal", "People")), rng.randrange(30, 120), rng.randrange(2, 6))]
        if rng.random() < 0.5:
            teams.append((None, rng.randrange(20, 120), 4))
        is_busy = rng.random() < 0.8
        names = []
        for team, arrives, size in teams:
            for place in range(size):
                user = f"{account}-{team}-{place}"
                names.append(user)
                since = arrives + rng.randrange(0, 12) if arrives else rng.choice((0, 0, rng.randrange(100)))
                until = rng.choice((DAYS, DAYS, since + rng.randrange(5, 60)))
                self._user(account, user, team, since)
                # A busy team works on every day for a while, which saturates its department.
                spell = range(40, rng.randrange(50, 90)) if is_busy and team in ("Finance", "Operations") else range(0)
                if spell:
                    since = min(since, 40)
                self._use(account, user, since, until, rng.choice((0.15, 0.5)), spell)
        return names

    def _user(self, account: str, user: str, team: str | None, since: int) -> None:
        rng, raw = self.rng, self.raw
        host = "sister.example" if team is None and since % 2 else f"{account.lower()}.example"
        row = {
            "user_id": user, "account_id": account, "email": f"{user.lower()}@{host}",
            "user_kind": rng.choice(("employee",) * 9 + ("contractor",)), "role": rng.choice(("Analyst", "Planner")),
            "created_at": at(FIRST),
        }
        raw.add("product_users", FIRST, **row, updated_at=at(FIRST))
        if rng.random() < 0.1:
            changed = rng.randrange(10, DAYS)
            kind = "internal" if row["user_kind"] == "employee" else "employee"
            raw.add("product_users", on(changed), **(row | {"user_kind": kind}), updated_at=at(on(changed)))
        if team is not None:
            entry = {
                "subject_id": f"S{user}", "account_id": account, "email": row["email"], "department": team,
                "provisioned_at": at(FIRST),
            }
            first = 0 if rng.random() < 0.9 else rng.randrange(5, 40)
            raw.add("identity_directory", self.known(first), **entry, updated_at=at(on(first)))
            for number in range(20, DAYS, 25):
                # The export of the directory comes back each month; else the source grows stale.
                department = rng.choice((team,) * 12 + ("Legal", "Finance"))
                moved = entry | {"department": department}
                raw.add("identity_directory", on(number), **moved, updated_at=at(on(number)))
        if rng.random() < 0.7:
            assigned = rng.randrange(0, 60)
            seat = {"assignment_id": f"S{user}", "account_id": account, "user_id": user, "assigned_on": on(assigned)}
            raw.add("product_seat_assignments", self.known(assigned), **seat, updated_at=at(on(assigned)))
            if rng.random() < 0.3:
                released = assigned + rng.randrange(5, 60)
                told = self.known(released)
                raw.add("product_seat_assignments", told + timedelta(days=8), **seat, released_on=on(released),
                        updated_at=at(on(released)))

    def _use(self, account: str, user: str, since: int, until: int, rate: float, spell: range) -> None:
        rng = self.rng
        for number in range(since, min(until, DAYS)):
            is_weekend = on(number).weekday() > 4
            if number not in spell and rng.random() > (0.1 if is_weekend else 1.0) * rate:
                continue
            for feature in {rng.choice(_CORE), rng.choice(_CORE + _OTHER)} if number not in spell else _CORE[:1]:
                row = {
                    "usage_id": f"{user}-{number}-{feature}", "account_id": account, "user_id": user,
                    "used_on": on(number), "feature": feature, "event_count": 1, "minutes": 5.0,
                }
                told = on(number) if number in spell else self.known(number)
                if (told - FIRST).days in self.silent:
                    told = on(self.silent.stop)
                self.raw.add("product_usage", told, **row)
                if rng.random() < 0.01:
                    self.raw.add("product_usage", told + timedelta(days=4), **(row | {"event_count": 3}))
                elif rng.random() < 0.01:
                    self.raw.delete("product_usage", told + timedelta(days=9), usage_id=row["usage_id"])

    def _contract(self, account: str, users: list[str]) -> None:
        rng, raw = self.rng, self.raw
        seats = float(max(4, len(users) - rng.randrange(0, 8)))
        line = {
            "line_id": f"{account}-L1", "account_id": account, "product": "suite", "unit": "seat", "quantity": seats,
            "unit_price": 100.0, "currency": "EUR", "starts_on": on(-300),
            "licensed_departments": rng.choice(("Finance|Operations", "Finance|Operations", "finance", None)),
        }
        raw.add("billing_subscription_lines", FIRST, **line, signed_at=at(FIRST))
        if rng.random() < 0.5:
            changed, more = rng.randrange(30, 120), float(rng.choice((-3, -2, 2, 4)))
            told = self.known(changed)
            changed_line = line | {"quantity": max(3.0, seats + more)}
            raw.add("billing_subscription_lines", told, **changed_line, signed_at=at(on(changed)))
        elif rng.random() < 0.3:
            gone = rng.randrange(60, 130)
            raw.delete("billing_subscription_lines", on(gone), line_id=line["line_id"])
            raw.add("billing_subscription_lines", on(gone + 4), **line, signed_at=at(on(gone + 4)))
        if rng.random() < 0.6:
            start = rng.randrange(-60, 20)
            meter = {
                "line_id": f"{account}-L2", "account_id": account, "product": "api", "unit": "api_calls",
                "quantity": 1000.0, "billing_period": "month", "starts_on": on(start),
            }
            raw.add("billing_subscription_lines", on(max(0, start)), **meter, signed_at=at(on(max(0, start))))
            pace = rng.choice((25, 31, 34, 40))
            for number in range(DAYS):
                amount = float(rng.randrange(pace + (8 if number > 70 else 0)) + pace // 3)
                values = {"account_id": account, "meter": "api_calls", "used_on": on(number)}
                raw.add("product_metered_usage", self.known(number), **values, quantity=amount)

    def _people(self, account: str) -> None:
        rng, raw, domain = self.rng, self.raw, f"{account.lower()}.example"
        for place, role in enumerate(("champion", "renewal_contact", "user", "user")):
            row = {
                "contact_id": f"{account}-C{place}", "account_id": account, "name": f"Person {account} {place}",
                "email": f"c{place}@{domain}", "title": rng.choice(_TITLES), "function": rng.choice(("finance", None)),
                "deal_role": role, "has_consent": True, "status": "active",
            }
            raw.add("crm_contacts", FIRST, **row, updated_at=at(FIRST))
            changed = sorted(rng.sample(range(5, DAYS), rng.randrange(0, 3)))
            for number in changed:
                row |= rng.choice((
                    {"title": rng.choice(_TITLES)}, {"deal_role": "renewal_contact"}, {"status": "left"},
                    {"title": rng.choice(_TITLES)},
                ))
                raw.add("crm_contacts", on(number), **row, updated_at=at(on(number), 8))
            if not changed and rng.random() < 0.1:
                raw.delete("crm_contacts", on(rng.randrange(30, DAYS)), contact_id=row["contact_id"])
        for place in range(rng.randrange(2, 6)):
            number = rng.randrange(DAYS)
            person = {"person_email": f"c{rng.randrange(7)}@{domain}", "person_name": None}
            raw.add(
                "people_job_alerts", self.known(number), alert_id=f"{account}-J{place}", account_domain=domain,
                **person,
                move=rng.choice(("joined", "joined", "left")), from_title=rng.choice(_TITLES),
                to_title=rng.choice(_TITLES), function=rng.choice(("finance", None)), happened_on=on(number),
            )
            number = rng.randrange(DAYS)
            raw.add(
                "people_signature_changes", self.known(number), change_id=f"{account}-G{place}",
                email=f"c{rng.randrange(5)}@{domain}", from_title=rng.choice(_TITLES),
                to_title=rng.choice(_TITLES[:-1]),
                seen_at=at(on(number), 6),
            )
        if rng.random() < 0.4:
            number = rng.randrange(DAYS)
            raw.add(
                "people_absence_patterns", self.known(number), pattern_id=f"{account}-P", email=f"c0@{domain}",
                pattern="left_company", seen_at=at(on(number), 6),
            )
        if rng.random() < 0.5:
            number = rng.randrange(DAYS)
            raw.add(
                "crm_contact_role_changes", on(number), change_id=f"{account}-W", account_id=account,
                contact_id=f"{account}-C2", email=f"c2@{domain}", move="deal_role_changed", from_deal_role="user",
                to_deal_role="renewal_contact", changed_at=at(on(number), 7),
            )

    def _questions(self, account: str) -> None:
        """Basic questions, and from some day on, in some accounts, advanced ones."""
        rng, domain = self.rng, f"{account.lower()}.example"
        turns = rng.choice((None, rng.randrange(60, 120), rng.randrange(60, 120)))
        people = rng.choice((1, 3))
        for place in range(rng.randrange(8, 20)):
            number = rng.randrange(DAYS)
            is_turned = turns is not None and number >= turns
            self._ask(f"T{account}-{place}", account, domain, number, rng.randrange(people),
                      rng.choice(("api", "sso", "audit", "reports")),
                      is_advanced=rng.random() < (0.9 if is_turned else 0.1))
        if turns is not None:
            for place in range(rng.randrange(3, 7)):
                self._ask(f"V{account}-{place}", account, domain, turns + rng.randrange(20), place % people,
                          ("api", "sso", "audit")[place % 3], is_advanced=True)
        if rng.random() < 0.8:
            self._ask(f"O{account}", account, domain, self.outage_day, 0, _OUTAGE_TOPIC, is_advanced=rng.random() < 0.5)
        for number in range(0, DAYS, SOURCES_EVERY):
            # The book always asks something, so that the source stays fresh in most of its days.
            if rng.random() < 0.5:
                self._ask(f"F{account}-{number}", account, domain, number, 0, "general", is_advanced=False)

    def _ask(
        self, ticket: str, account: str, domain: str, number: int, person: int, topic: str, *, is_advanced: bool
    ) -> None:
        rng = self.rng
        row = {
            "ticket_id": ticket, "account_id": account if rng.random() < 0.7 else None,
            "requester_email": f"c{person}@{domain}", "subject": "Question", "body": f"How {ticket}?", "topic": topic,
            "priority": "low", "is_escalated": False, "created_at": at(on(number), 9),
        }
        told = self.known(number)
        self.raw.add("support_tickets", told, **row, status="open")
        if rng.random() < 0.3:
            self.raw.add("support_tickets", told + timedelta(days=5), **row, status="solved")
        elif rng.random() < 0.1 and not is_advanced:
            # The oracle knows nothing of superseding (tests/e2e, tests/unit/triggers): what a firing rests on stays.
            self.raw.delete("support_tickets", told + timedelta(days=7), ticket_id=ticket)
        if is_advanced:
            self.tag("support_tickets", ticket, "advanced_intent")

    def _mentions(self, account: str) -> None:
        rng, domain = self.rng, f"{account.lower()}.example"
        for place in range(rng.randrange(1, 5)):
            number, key = rng.randrange(DAYS), f"{account}-N{place}"
            self.raw.add(
                "feedback_nps", self.known(number), response_id=key, account_id=account, email=f"c1@{domain}", score=8,
                comment="We do that in a spreadsheet.", responded_at=at(on(number), 10),
            )
            self.tag("feedback_nps", key, "adjacent_use", rng.choice(("reporting", "signing")))
            turn = f"{account}-Y{place}"
            self.raw.add(
                "meetings_turns", self.known(number), turn_id=turn, account_id=account, turn_no=place,
                speaker_side=rng.choice(("customer", "customer", "vendor")), body="A script does it.",
                spoken_at=at(on(number), 10),
            )
            self.tag("meetings_turns", turn, "adjacent_use", rng.choice(("reporting", "signing", "forms")))


def on(number: int) -> date:
    """A day of the book by its number."""
    return FIRST + timedelta(days=number)


def days(count: int = DAYS) -> Iterator[date]:
    """The days of the book."""
    return (on(number) for number in range(count))
