"""Money and mood around an account: goals, opportunities, invoices, health, growth, intent, engagement.

Belongs here: ordinary rows of those sources. Does not belong here: what plays lead to (``plays.py``).
"""

from __future__ import annotations

from expansion_assets.world.accounts import MODULE_PRICES, current_arr, export_record, renewal_after
from expansion_assets.world.model import Account, Book, Record
from expansion_assets.world.names import GOALS

_MOTIONS = tuple(GOALS)
_LATE_INVOICE_SHARE = 0.06
_INTENT_TOPICS = (
    "workflow automation",
    "procurement software",
    "e-signature",
    "approval software",
    "process mining",
)
_MILESTONES = (
    "Approval time halved against go-live",
    "First month without a paper form",
    "Audit passed without findings",
    "1,000th request closed in the tool",
    "Savings confirmed by finance",
)
_HEALTH_EVERY_DAYS = 30
_JOB_TITLES = {
    "operations": "Operations Manager", "finance": "Finance Controller", "procurement": "Procurement Manager"
}
_HIRING_EVERY = 8  # one account in eight fills several places of the using function in a quarter
_UNFLAGGED_EVERY = 9  # a third of the quiet accounts buys something that nothing had flagged


def add_commerce(book: Book) -> None:
    """Write all of it, account by account."""
    for account in book.accounts:
        _add_goals(account, book)
        _add_invoices(account, book)
        _add_health(account, book)
        _add_growth(account, book)
        _add_engagement(account, book)
        _add_renewals(account, book)
        _add_unflagged_sale(account, book)


def _last(account: Account, book: Book) -> int:
    return account.churn_day or book.horizon


def _add_goals(account: Account, book: Book) -> None:
    rng = book.streams.random("goals", account.number)
    for motion in rng.sample(_MOTIONS, rng.choice((1, 2, 2, 3))):
        stated = rng.randrange(account.first_use - 60, account.first_use + 40)
        record = Record(
            "crm_goals",
            {
                "goal_id": account.sequence("GOAL"),
                "account_id": account.account_id,
                "goal": GOALS[motion],
                "motion": motion,
                "stated_on": book.period.day(stated),
                "status": "open",
            },
            stated,
        )
        if rng.random() < 0.15:
            record.change(
                rng.randrange(stated + 120, stated + 300), status=rng.choice(("reached", "dropped"))
            )
        export_record(record, "updated_at", account.country, book)


def _add_invoices(account: Account, book: Book) -> None:
    rng = book.streams.random("invoices", account.number)
    period = book.period
    for start, _ in period.months()[::3]:
        if start < account.start or start >= _last(account, book):
            continue
        issued = start + 4
        due = issued + 30
        late = rng.randrange(33, 70) if rng.random() < _LATE_INVOICE_SHARE else rng.randrange(-12, 6)
        record = Record(
            "billing_invoices",
            {
                "invoice_id": account.sequence("INV"),
                "account_id": account.account_id,
                "amount": round(current_arr(account, start) / 4, 2),
                "currency": account.currency,
                "issued_on": period.day(issued),
                "due_on": period.day(due),
                "paid_on": None,
            },
            issued,
        )
        record.change(due + late, paid_on=period.day(due + late))
        export_record(record, "updated_at", account.country, book)


def _add_health(account: Account, book: Book) -> None:
    rng = book.streams.random("health", account.number)
    score = rng.uniform(58, 88)
    for number in range(account.first_use + rng.randrange(0, 20), _last(account, book), _HEALTH_EVERY_DAYS):
        score = min(96.0, max(48.0, score + rng.uniform(-6, 6)))
        if account.churn_day is not None:
            score = max(20.0, score - 7)
        band = "green" if score >= 70 else "yellow" if score >= 45 else "red"
        row = {
            "account_id": account.account_id,
            "scored_on": book.period.day(number),
            "score": round(score, 1),
            "band": band,
        }
        book.landing.add("engagement_health", book.period.nightly(number), row)


def _add_growth(account: Account, book: Book) -> None:
    rng = book.streams.random("growth", account.number)
    # Streams of their own: what is drawn here leaves the rest of the world as it was.
    own = book.streams.random("function growth", account.number)
    drift = own.uniform(-0.1, 0.2)
    period = book.period
    people, yearly = rng.randrange(120, 2400), rng.uniform(-0.06, 0.32)
    for number in range(-360, book.horizon, 90):
        count = round(people * (1 + yearly * number / 365))
        for department, share in (("all", 1.0), (account.departments[0], 0.2 * (1 + drift * number / 365))):
            row = {
                "account_domain": account.domain,
                "department": department,
                "headcount": round(count * share),
                "observed_on": period.day(number),
            }
            book.landing.add("growth_headcount", period.nightly(number), row)
    events = []
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        number = rng.randrange(0, book.horizon)
        events.append((number, rng.choices(("job_post", "new_location", "funding"), weights=(6, 3, 1))[0], number % 2))
    if account.number % _HIRING_EVERY == 3:
        first = own.randrange(0, max(book.horizon - 60, 1))
        events += [(min(first + own.randrange(0, 50), book.horizon - 1), "job_post", 1) for _ in range(3)]
    for number, kind, names_function in events:
        title = _JOB_TITLES[account.function] if names_function else "Process Manager"
        row = {
            "event_id": account.sequence("GRO"),
            "account_domain": account.domain,
            "kind": kind,
            "title": {
                "job_post": title,
                "new_location": "Second warehouse",
                "funding": "Growth round",
            }[kind],
            "amount": float(rng.randrange(5, 60) * 1_000_000) if kind == "funding" else None,
            "happened_on": period.day(number),
        }
        book.landing.add("growth_events", period.nightly(number), row)
    for _ in range(rng.randrange(0, 9)):
        number = rng.randrange(0, book.horizon)
        row = {
            "intent_id": account.sequence("INT"),
            "account_domain": account.domain,
            "topic": rng.choice(_INTENT_TOPICS),
            "score": float(rng.randrange(20, 95)),
            "observed_on": period.day(number),
        }
        book.landing.add("growth_intent", period.nightly(number), row)


def _add_engagement(account: Account, book: Book) -> None:
    rng = book.streams.random("engagement", account.number)
    kinds = ["webinar", "roadmap_request", "referral", "executive_meeting"]
    step = rng.choice((55, 70, 70, 140))  # most accounts have proof of value in every 90 days, some do not
    planned = [
        (number, "value_milestone")
        for number in range(account.first_use + rng.randrange(1, 30), _last(account, book), step)
    ]
    planned += [
        (rng.randrange(account.first_use, _last(account, book)), rng.choice(kinds))
        for _ in range(rng.randrange(1, 5))
    ]
    for number, kind in sorted(planned):
        if kind == "value_milestone" and rng.random() < 0.2:
            kind = "outcome_evidence"
        titles = {
            "webinar": "Product webinar",
            "roadmap_request": "Roadmap wish",
            "referral": "Referral",
            "executive_meeting": "Executive meeting",
        }
        row = {
            "event_id": account.sequence("ENG"),
            "account_id": account.account_id,
            "kind": kind,
            "title": titles.get(kind) or rng.choice(_MILESTONES),
            "person_email": account.contacts[0].email if account.contacts and rng.random() < 0.6 else None,
            "motion": rng.choice(_MOTIONS) if rng.random() < 0.5 else None,
            "occurred_at": book.period.working_moment(account.country, number, rng),
        }
        book.landing.add("engagement_events", book.period.nightly(number), row)


def add_opportunity(
    account: Account,
    book: Book,
    kind: str,
    amount: float,
    opened: int,
    closed: int | None,
    *,
    is_won: bool = True,
    firing_id: str | None = None,
) -> None:
    """Write an opportunity with its stages; ``closed`` past the world's end leaves it in proposal."""
    period = book.period
    record = Record(
        "crm_opportunities",
        {
            "opportunity_id": account.sequence("OPP"),
            "account_id": account.account_id,
            "kind": kind,
            "amount": amount,
            "currency": account.currency,
            "stage": "open",
            "opened_on": period.day(opened),
            "closed_on": None,
            "firing_id": firing_id,
        },
        opened,
    )
    end = closed if closed is not None else book.horizon + 30
    record.change((opened + end) // 2 + 1, stage="proposal")
    if closed is not None:
        record.change(
            max(closed, (opened + end) // 2 + 2),
            stage="won" if is_won else "lost",
            closed_on=period.day(closed),
        )
    export_record(record, "updated_at", account.country, book)


def _add_renewals(account: Account, book: Book) -> None:
    due = book.period.number(renewal_after(account, book, account.first_use))
    if account.churn_day is None and due <= book.horizon + 90:
        amount = current_arr(account, max(due - 60, 0))
        add_opportunity(
            account, book, "renewal", amount, max(due - 90, 1), due if due <= book.horizon else None
        )


def sell_module(account: Account, book: Book, signed: int) -> tuple[str, float] | None:
    """Add a module line signed on a day, in force three days later; None when every module is there already."""
    sold = {str(line.values["module"]) for line in account.lines}
    missing = [module for module in MODULE_PRICES if module not in sold and module != "Connect"]
    if not missing:
        return None
    assert account.crm is not None
    module = missing[account.number % len(missing)]
    price, starts = float(MODULE_PRICES[module]), signed + 3
    values = account.lines[0].values | {
        "line_id": f"{account.account_id}-L{len(account.lines) + 1}",
        "unit": "module",
        "module": module,
        "quantity": 1,
        "unit_price": price,
        "arr": price,
        "starts_on": book.period.day(starts),
    }
    account.lines.append(Record(account.lines[0].table, values, signed))
    account.crm.change(starts, arr=current_arr(account, starts))
    return module, price


def _add_unflagged_sale(account: Account, book: Book) -> None:
    rng = book.streams.random("unflagged", account.number)
    is_quiet = (
        account.start < 0
        and account.churn_day is None
        and not {"support", "text", "people"} & account.slots.keys()
    )
    if not is_quiet or account.number % _UNFLAGGED_EVERY > 2 or book.period.length < 120:
        return
    opened = rng.randrange(20, book.horizon - 60)
    closed = opened + rng.randrange(20, 45)
    if sale := sell_module(account, book, closed):
        add_opportunity(account, book, "modules", sale[1], opened, closed)


def add_owner_absences(book: Book) -> None:
    """Two summer weeks and some days in winter for every owner."""
    rng = book.streams.random("absences")
    number = 0
    for owner in book.owners:
        for start in (rng.randrange(10, 50), rng.randrange(160, 200), rng.randrange(280, 330)):
            if start >= book.horizon:
                continue
            number += 1
            length = rng.choice((4, 6, 11, 13))
            row = {
                "absence_id": f"ABS-{number:03d}",
                "owner_id": owner["owner_id"],
                "from_on": book.period.day(start),
                "to_on": book.period.day(start + length),
                "entered_at": book.period.working_moment(owner["country"], start - 20, rng),
            }
            book.landing.add("crm_owner_absences", book.period.nightly(start - 20), row)
