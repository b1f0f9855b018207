"""A seeded random book for the dbt tests: every source, late rows, corrections, rows without an account id.

Belongs here: rows untidy in every way the models must stand. Does not belong here: planted truth.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.dbt.raw_tables import RawTables, at, read_contracts

FIRST_DAY = date(2025, 1, 1)
_DEPARTMENTS = ("finance", "operations", "sales", "hr")
_FEATURES = {"board": "core", "search": "core", "export": "standard", "api": "advanced", "rules": "advanced"}
_SEGMENTS = ("smb", "mid_market", "enterprise")


def random_book(accounts: int, days: int, users: int = 8, seed: int = 1) -> RawTables:
    """Rows of ``accounts`` accounts over ``days`` days from FIRST_DAY, about ``users`` users each."""
    rng, raw = Random(seed), RawTables()
    for feature, tier in _FEATURES.items():
        raw.add(
            "product_features", FIRST_DAY, feature=feature, tier=tier, introduced_on=FIRST_DAY,
            module="Add-on" if tier == "advanced" else "Core",
        )
    for number in range(accounts):
        _add_account(raw, rng, f"A{number:04d}", number, days, users)
    if accounts >= 8:
        _add_identity(raw, days)
    _withdraw(raw, Random(-seed), days)
    return raw


def _withdraw(raw: RawTables, rng: Random, days: int) -> None:
    """Take back some of what was told: records deleted or told otherwise, and a user's whole use of weeks."""
    told_otherwise = {"people_job_alerts": {"to_title": "Analyst"}, "meetings_notes": {"body": "Nothing was said."}}
    for table, other in told_otherwise.items():
        for row in raw.rows(table):
            on = row["known_from"].date() + timedelta(days=rng.randrange(12))
            match rng.randrange(4):
                case 0:
                    raw.delete(table, on, **_key_of(table, row))
                case 1:
                    raw.add(table, on, **{name: row[name] for name in row if name != "known_from"} | other)
    for row in raw.rows("crm_contacts"):
        if rng.random() < 0.2:
            on = row["known_from"].date() + timedelta(days=rng.randrange(1, 12))
            told = {name: row[name] for name in row if name != "known_from"}
            raw.add("crm_contacts", on, **told | {"title": "Clerk"})
    usage = raw.rows("product_usage")
    users = sorted({row["user_id"] for row in usage})
    for user in rng.sample(users, len(users) // 10):
        on = FIRST_DAY + timedelta(days=rng.randrange(20, days))
        for row in usage:
            if row["user_id"] == user and row["known_from"] < at(on, 20):
                raw.delete("product_usage", on, usage_id=row["usage_id"])


def _key_of(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in read_contracts()[table]["key"]}


def _add_identity(raw: RawTables, days: int) -> None:
    """Overrides of every kind, settled, changed and withdrawn; people with two users; machines; free mail."""
    overrides = [
        (33, "domain", "a0003.example", "A0004", None), (50, "domain", "A0003.example.", None, None),
        (20, "email", "contact1@a0000.example", "none", None), (41, "email", "contact1@a0000.example", "A0001", None),
        (25, "email", "Freda <freda@gmail.com>", "A0002", None), (10, "email", "contact0@a0003.example", "A0005", 30),
        (40, "source_id", "A0005", "A0006", None), (55, "source_id", "A0007", "none", None),
        (45, "subscription", "A0001-L1", "none", None), (52, "subscription", "A0006-L1", "A0001", None),
        (5, "domain", "gmail.com", "A0001", None),
    ]  # fmt: skip
    for day, kind, key, account, valid in overrides:
        settled = FIRST_DAY + timedelta(days=day)
        raw.add(
            "identity_overrides",
            settled,
            key_kind=kind,
            match_key=key,
            account_id=account,
            valid_from=None if valid is None else FIRST_DAY + timedelta(days=valid),
            decided_by="ops",
            reason="test",
            decided_at=at(settled),
        )
    people = [
        ("UA0000-again", "A0000", "UA0000-2+two@A0000.example", "employee", "Analyst"),
        ("UA0002-again", None, "Two <ua0002-4@a0002.example>", "employee", "Planner"),
        ("UA0002-free", None, "freda@gmail.com", "employee", "Analyst"),
        ("UA0001-bot", "A0001", "deploy-bot@a0001.example", "employee", None),
        ("UA0001-none", "A0001", None, "employee", None),
        ("UA0003-ext", "A0003", "x.ext@a0003.example", "vendor", "Helper"),
    ]
    for user, account, email, kind, role in people:
        row = {"user_id": user, "account_id": account, "email": email, "user_kind": kind, "role": role}
        made = at(FIRST_DAY)
        raw.add("product_users", FIRST_DAY + timedelta(days=3), **row, created_at=made, updated_at=made)
        for day in range(1, days, 4):
            used_on = FIRST_DAY + timedelta(days=day)
            values = {"account_id": account, "user_id": user, "used_on": used_on, "feature": "board", "event_count": 2}
            raw.add("product_usage", used_on, usage_id=f"{user}-{day}", **values, minutes=3.0)
    for day in range(2, days, 6):
        asked = FIRST_DAY + timedelta(days=day)
        for name in ("freda@gmail.com", "contact1@a0000.example", "nobody@localhost", "someone@a0003.example"):
            raw.add(
                "support_tickets",
                asked,
                ticket_id=f"X{day}-{name}",
                requester_email=name,
                subject="Question",
                body=f"Why {day}?",
                priority="low",
                is_escalated=False,
                status="open",
                created_at=at(asked, 9),
            )


def _varied(kind: str, place: int) -> str:
    """More kinds without another draw."""
    return ("webinar", "roadmap_request", "referral")[place % 3] if kind == "webinar" else kind


def _some_day(rng: Random, days: int) -> date:
    return FIRST_DAY + timedelta(days=rng.randrange(days))


def _later(rng: Random, day: date) -> date:
    """The day a fact of ``day`` becomes known: mostly the same, sometimes late."""
    return day + timedelta(days=rng.choice((0, 0, 0, 0, 1, 2, 9)))


def _add_account(raw: RawTables, rng: Random, account: str, number: int, days: int, users: int) -> None:
    domain = f"{account.lower()}.example"
    known = FIRST_DAY + timedelta(days=rng.choice((0, 0, 0, 5)))
    row = {
        "account_id": account,
        "name": f"Account {number}",
        "domain": domain,
        "segment": _SEGMENTS[number % 3],
        "country": "DE",
        "arr": 1000.0 * (number + 1),
        "currency": "EUR",
        "first_paid_on": FIRST_DAY + timedelta(days=number % 7),
        "renewal_on": FIRST_DAY + timedelta(days=120 + number),
        "notice_days": 30,
        "fiscal_year_end_month": (None, 6, 1)[number % 3],
        "using_function": ("operations", "Ops", "bee-keeping")[number % 3],
        "status": "customer",
        "owner_id": f"O{number % 4}",
    }
    raw.add("crm_accounts", known, **row, updated_at=at(known, 9))
    changed = _some_day(rng, days)
    if changed > known:
        raw.add(
            "crm_accounts",
            changed,
            **(row | {"segment": "enterprise", "domain": f"new-{domain}"}),
            updated_at=at(changed, 9),
        )
    _add_contract(raw, rng, account, number, days, users)
    names = [f"U{account}-{place}" for place in range(users)]
    for place, user in enumerate(names):
        _add_user(raw, rng, account, domain, user, place, days)
    _add_usage(raw, rng, account, number, names, days)
    _add_people(raw, rng, account, domain, days)
    _add_events(raw, rng, account, domain, number, days)
    _add_conversations(raw, Random(number), account, domain, days)


def _add_contract(raw: RawTables, rng: Random, account: str, number: int, days: int, users: int) -> None:
    licensed = (None, "Finance", "Finance|Operations")[number % 3]
    row = {
        "line_id": f"{account}-L1",
        "account_id": account,
        "product": "suite",
        "unit": "seat",
        "quantity": float(users),
        "unit_price": 120.0 if number % 4 else None,
        "currency": "EUR",
        "licensed_departments": licensed,
        "restricts_departments": number % 2 == 0,
        "starts_on": FIRST_DAY,
    }
    raw.add("billing_subscription_lines", FIRST_DAY, **row, signed_at=at(FIRST_DAY))
    for changed in sorted({_some_day(rng, days) for _ in range(2)} - {FIRST_DAY}):
        quantity = float(users + rng.randrange(-3, 4))
        raw.add(
            "billing_subscription_lines", changed, **(row | {"quantity": quantity}), signed_at=at(changed, 8)
        )
    if number % 4 == 1:
        bought = FIRST_DAY + timedelta(days=10 + number)
        module = {
            "line_id": f"{account}-L3", "account_id": account, "product": "suite", "unit": "module", "quantity": 1.0,
            "module": "add-on ", "starts_on": bought, "ends_on": bought + timedelta(days=25),
        }
        raw.add("billing_subscription_lines", bought + timedelta(days=number % 3), **module, signed_at=at(bought))
    if number % 2 == 0:
        start = FIRST_DAY + timedelta(days=rng.randrange(31))
        meter = {
            "line_id": f"{account}-L2",
            "account_id": account,
            "product": "api",
            "unit": "api_calls",
            "quantity": 1000.0,
            "billing_period": "month",
            "starts_on": start,
            "ends_on": start + timedelta(days=rng.randrange(40, 200)),
        }
        raw.add("billing_subscription_lines", _later(rng, start), **meter, signed_at=at(start))
        for day in range(days):
            used_on = FIRST_DAY + timedelta(days=day)
            values = {"account_id": account, "meter": "api_calls", "used_on": used_on}
            raw.add(
                "product_metered_usage", _later(rng, used_on), **values, quantity=float(rng.randrange(60))
            )
    for month in range(days // 30):
        issued = FIRST_DAY + timedelta(days=30 * month)
        invoice = {
            "invoice_id": f"{account}-I{month}",
            "account_id": account,
            "amount": 99.5,
            "currency": "EUR",
            "issued_on": issued,
            "due_on": issued + timedelta(days=14),
        }
        raw.add("billing_invoices", issued, **invoice, updated_at=at(issued))
        paid = issued + timedelta(days=rng.randrange(5, 60))
        raw.add("billing_invoices", paid + timedelta(days=1), **invoice, paid_on=paid, updated_at=at(paid))


def _add_user(
    raw: RawTables, rng: Random, account: str, domain: str, user: str, place: int, days: int
) -> None:
    email = f"{user.lower()}@{'sister.example' if place == 1 else domain}"
    row = {
        "user_id": user,
        "account_id": account if place % 3 else None,
        "email": email,
        "user_kind": rng.choice(("employee",) * 6 + ("service", "contractor")),
        "role": rng.choice(("Analyst", "Planner")),
        "created_at": at(FIRST_DAY),
    }
    raw.add("product_users", _later(rng, FIRST_DAY), **row, updated_at=at(FIRST_DAY))
    if rng.random() < 0.2:
        changed = _some_day(rng, days)
        kind = "internal" if rng.random() < 0.5 else "employee"
        raw.add(
            "product_users",
            changed + timedelta(days=9),
            **(row | {"user_kind": kind}),
            updated_at=at(changed),
        )
    if rng.random() < 0.8:
        entry = {
            "subject_id": f"S{user}",
            "account_id": account,
            "email": email,
            "provisioned_at": at(FIRST_DAY),
        }
        joined = _later(rng, FIRST_DAY)
        raw.add(
            "identity_directory",
            joined,
            **entry,
            department=rng.choice(_DEPARTMENTS).title(),
            updated_at=at(joined),
        )
        for day in range(20, days, 30):
            moved = FIRST_DAY + timedelta(days=day + rng.randrange(9))
            if rng.random() < 0.3:
                department = rng.choice((*_DEPARTMENTS, None))
                raw.add("identity_directory", moved, **entry, department=department, updated_at=at(moved))
    if rng.random() < 0.8:
        assigned = _some_day(rng, days // 2)
        seat = {"assignment_id": f"S{user}", "account_id": account, "user_id": user, "assigned_on": assigned}
        raw.add("product_seat_assignments", _later(rng, assigned), **seat, updated_at=at(assigned))
        released = assigned + timedelta(days=rng.randrange(5, days))
        raw.add(
            "product_seat_assignments",
            released + timedelta(days=9),
            **seat,
            released_on=released,
            updated_at=at(released),
        )


def _add_usage(raw: RawTables, rng: Random, account: str, number: int, users: list[str], days: int) -> None:
    first = {user: rng.choice((0, 0, 0, rng.randrange(days))) for user in users}
    rate = {user: rng.choice((0.1, 0.4, 0.8)) for user in users}
    for day in range(days):
        used_on = FIRST_DAY + timedelta(days=day)
        for user in users:
            if day < first[user] or rng.random() > rate[user] * (0.2 if used_on.weekday() > 4 else 1):
                continue
            for feature in rng.sample(list(_FEATURES), rng.choice((1, 2, 2, 3))):
                row = {
                    "usage_id": f"{user}-{day}-{feature}",
                    "account_id": account,
                    "user_id": user,
                    "used_on": used_on,
                    "feature": feature,
                    "event_count": rng.randrange(1, 9),
                    "minutes": round(rng.random() * 90, 1),
                }
                if number % 5 == 1:
                    row |= {"account_id": None, "subscription_id": f"{account}-L1"}
                elif number % 5 == 2:
                    row |= {"account_id": None}
                known = _later(rng, used_on)
                raw.add("product_usage", known, **row)
                if rng.random() < 0.02:
                    raw.add(
                        "product_usage",
                        known + timedelta(days=3),
                        **(row | {"minutes": 1.5, "event_count": 1}),
                    )


def _add_people(raw: RawTables, rng: Random, account: str, domain: str, days: int) -> None:
    roles = ("champion", "renewal_contact", "executive_sponsor", "user", "user")
    for place, role in enumerate(roles):
        email = f"contact{place}@{domain}"
        row = {
            "contact_id": f"{account}-C{place}",
            "account_id": account,
            "name": f"Person {account} {place}",
            "email": email,
            "title": rng.choice(("Manager Finance", "Director Operations")),
            "function": "operations",
            "deal_role": role,
            "has_consent": rng.choice((True, False, None)),
            "status": "active",
        }
        raw.add("crm_contacts", _later(rng, FIRST_DAY), **row, updated_at=at(FIRST_DAY))
        if rng.random() < 0.6:
            changed = FIRST_DAY + timedelta(days=10 + rng.randrange(days - 10))
            change = rng.choice(
                ({"title": "VP Operations"}, {"status": "left"}, {"deal_role": "renewal_contact"})
            )
            raw.add("crm_contacts", _later(rng, changed), **(row | change), updated_at=at(changed, 8))
            move = {
                "change_id": f"{account}-W{place}",
                "account_id": account,
                "contact_id": row["contact_id"],
                "email": email,
            }
            raw.add(
                "crm_contact_role_changes",
                changed,
                **move,
                move="left",
                from_title=row["title"],
                changed_at=at(changed, 7),
            )
    for place in range(2):
        came = FIRST_DAY + timedelta(days=20 + 15 * place + len(account) % 5)
        newcomer = {
            "contact_id": f"{account}-N{place}", "account_id": account, "status": "active",
            "title": ("Directrice des opérations", "Clerk")[place],
        }
        raw.add("crm_contacts", came + timedelta(days=3 * place), **newcomer, updated_at=at(came, 8))
        day = _some_day(rng, days)
        raw.add(
            "people_job_alerts",
            _later(rng, day),
            alert_id=f"{account}-J{place}",
            account_domain=domain,
            person_name=f"Person {account} {place}",
            move="joined",
            to_title="CFO",
            happened_on=day,
        )
        raw.add(
            "people_signature_changes",
            _later(rng, day),
            change_id=f"{account}-G{place}",
            email=f"contact{place}@{domain}",
            from_title="Manager Finance",
            to_title="Director Finance",
            seen_at=at(day, 6),
        )
        raw.add(
            "people_absence_patterns",
            _later(rng, day),
            pattern_id=f"{account}-P{place}",
            email=f"contact{place}@{domain}",
            pattern=rng.choice(("left_company", "back")),
            seen_at=at(day, 6),
        )


def _add_events(raw: RawTables, rng: Random, account: str, domain: str, number: int, days: int) -> None:
    for place in range(days // 10):
        day = _some_day(rng, days)
        key = f"{account}-{place}"
        named = account if place % 2 else None
        ticket = {
            "ticket_id": f"T{key}",
            "account_id": named,
            "requester_email": f"contact{place % 3}@{domain}",
            "department": rng.choice((*_DEPARTMENTS, None)),
            "subject": "Question",
            "body": f"How do I {place}?",
            "topic": "api",
            "priority": rng.choice(("low", "high")),
            "is_escalated": place % 5 == 0,
            "created_at": at(day, 9),
        }
        raw.add("support_tickets", _later(rng, day), **ticket, status="open")
        closed = day + timedelta(days=rng.randrange(10, 40))
        raw.add("support_tickets", closed, **ticket, status="solved", closed_at=at(closed))
        raw.add(
            "feedback_nps",
            _later(rng, day),
            response_id=f"N{key}",
            account_id=named,
            email=f"contact1@{domain}",
            score=rng.randrange(11),
            comment=f"Fine {place}",
            responded_at=at(day, 10),
        )
        raw.add(
            "engagement_events",
            _later(rng, day),
            event_id=f"E{key}",
            account_id=account,
            occurred_at=at(day, 11),
            kind=_varied(rng.choice(("executive_meeting", "value_milestone", "webinar")), place),
            title="Talk",
        )
        raw.add(
            "engagement_health",
            _later(rng, day),
            account_id=account,
            scored_on=day,
            score=float(place),
            band="green",
        )
        raw.add(
            "growth_events",
            _later(rng, day),
            event_id=f"G{key}",
            account_domain=domain,
            kind=("funding", "new_location", "job_post", "job_post")[place % 4],
            title=("Round B", "Second site", "Operations Manager", "Gardener")[place % 4],
            happened_on=day,
        )
        raw.add(
            "growth_intent",
            _later(rng, day),
            intent_id=f"I{key}",
            account_domain=f"www.{domain}",
            topic=rng.choice(("a", "b")),
            score=50.0,
            observed_on=day,
        )
        raw.add(
            "product_limit_events",
            _later(rng, day),
            event_id=f"L{key}",
            account_id=account,
            kind=("api_limit", "access_denied")[place % 2],
            occurred_at=at(day, 12),
        )
        raw.add(
            "product_workflow_events",
            _later(rng, day),
            event_id=f"W{key}",
            account_id=account,
            kind=rng.choice(("export", "workflow_created")),
            quantity=0.1 * place,
            occurred_at=at(day, 12),
        )
        raw.add(
            "crm_owner_notes",
            _later(rng, day),
            note_id=f"O{key}",
            account_id=account,
            body="Calm.",
            written_at=at(day, 13),
        )
        raw.add(
            "play_log",
            _later(rng, day),
            event_id=f"P{key}",
            account_id=account,
            event_type="accepted",
            actor="csm",
            trigger="CROSS_TEAM",
            at=at(day, 14),
        )
        goal = {
            "goal_id": f"Z{key}",
            "account_id": account,
            "goal": "More",
            "motion": rng.choice(("seats", "tier")),
            "stated_on": day,
        }
        raw.add("crm_goals", _later(rng, day), **goal, status="open", updated_at=at(day))
        raw.add("crm_goals", closed, **goal, status="reached", updated_at=at(closed))
    for month in range(-14, days // 30):
        day = FIRST_DAY + timedelta(days=30 * month)
        raw.add(
            "growth_headcount",
            day,
            account_domain=domain,
            department="all",
            headcount=100 + 3 * month + number,
            observed_on=day,
        )
        for department in ("Operations", "ops EMEA", "Bee-Keeping"):
            raw.add(
                "growth_headcount",
                day + timedelta(days=len(department) % 3),
                account_domain=domain,
                department=department,
                headcount=20 + month * (1 + number % 3) + len(department),
                observed_on=day,
            )


def _add_conversations(raw: RawTables, rng: Random, account: str, domain: str, days: int) -> None:
    for place in range(days // 20):
        planned, key = _some_day(rng, days), f"{account}-{place}"
        held = planned + timedelta(days=rng.randrange(1, 9))
        meeting = {
            "meeting_id": f"M{key}",
            "account_id": account,
            "kind": "qbr",
            "is_external": place % 2 == 0,
            "planned_for": at(held, 9),
        }
        raw.add("crm_meetings", _later(rng, planned), **meeting, status="planned", updated_at=at(planned))
        # The third version changes another column than the status.
        for changed, hour in ((held, 10), (held + timedelta(days=2), 11)):
            known = changed + timedelta(days=9)
            raw.add("crm_meetings", known, **meeting, status="held", held_at=at(held, hour), updated_at=at(changed))
        note = {"note_id": f"C{key}", "account_id": account, "kind": "qbr", "body": f"Said {place}."}
        note["sentiment"] = (0.7, None, -0.2)[place % 3]
        raw.add("meetings_notes", _later(rng, held), **note, held_at=at(held, 10))
        for number, side in enumerate(("customer", "vendor")):
            raw.add(
                "meetings_turns",
                _later(rng, held),
                turn_id=f"Y{key}-{number}",
                account_id=account,
                turn_no=number,
                speaker_email=f"contact{number}@{domain}" if place % 2 else None,
                speaker_side=side,
                body=f"Turn {place}",
                spoken_at=at(held, 10),
            )
        raw.add(
            "feedback_references",
            _later(rng, planned),
            reference_id=f"R{key}",
            account_id=account,
            kind=rng.choice(("review", "case_study")),
            body=rng.choice(("Good.", " ", None)),
            published_at=at(planned, 15),
        )
        deal = {
            "opportunity_id": f"Q{key}",
            "account_id": account,
            "kind": "seats",
            "amount": rng.choice((99.5, None)),
            "currency": "EUR",
            "opened_on": planned,
        }
        raw.add("crm_opportunities", planned, **deal, stage="open", updated_at=at(planned))
        raw.add("crm_opportunities", held, **deal, stage="open", firing_id="F1", updated_at=at(held))
        won = held + timedelta(days=rng.randrange(2, 20))
        raw.add("crm_opportunities", won, **deal, stage="won", closed_on=won, updated_at=at(won))
