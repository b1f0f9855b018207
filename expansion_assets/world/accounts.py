"""Accounts, owners and contracts: who buys what, from when, in whose book.

Belongs here: account profiles, subscription lines, price list, exchange rates, owners.
Does not belong here: users (``population.py``), people (``people.py``), cases (``cases/``).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from expansion_assets.world.model import Account, Book, Record
from expansion_assets.world.names import (
    COMPANY_HEADS,
    COMPANY_TAILS,
    FUNCTION_LABELS,
    OTHER_DEPARTMENTS,
    USE_CASES,
    ascii_name,
)
from expansion_assets.world.streams import Streams

_SEGMENTS = (
    "mid_market",
    "smb",
    "enterprise",
    "mid_market",
    "smb",
    "mid_market",
    "smb",
    "mid_market",
    "mid_market",
    "enterprise",
)
_SEATS = {"smb": (20, 34), "mid_market": (38, 64), "enterprise": (84, 120)}
_SEAT_PRICES = {"smb": 360, "mid_market": 320, "enterprise": 280}
_COUNTRIES = ("DE", "GB", "US", "DE", "FR", "GB", "NL", "US")
_CURRENCIES = {"GB": "GBP", "US": "USD"}
_FUNCTIONS = ("operations", "operations", "finance", "operations", "procurement", "operations")
MODULE_PRICES = {"Analytics": 4800, "Connect": 6000, "Forms": 2400, "Sign": 3000}
_TIERS = {"smb": "team", "mid_market": "business", "enterprise": "enterprise"}
_CALL_PRICE = 0.03
_PLAN_PRICES = {"smb": 2400, "mid_market": 6000, "enterprise": 18000}
_ACCOUNTS_PER_CSM = 20
_RESERVED_EVERY = 15  # one account in fifteen carries no case: no directory, churn, or a late start
_CSM_COUNTRIES = ("DE", "GB", "US")


def build_owners(accounts: int, streams: Streams) -> list[dict[str, str]]:
    """CSMs (about twenty accounts each, at least three), two account executives, one head."""
    csms = max(3, -(-accounts // _ACCOUNTS_PER_CSM))
    jobs = [("csm", _CSM_COUNTRIES[number % 3]) for number in range(csms)]
    jobs += [("ae", "DE"), ("ae", "US"), ("head", "GB")]
    staff = Account(0, "", "", "tidewater.example", "", "", "", 0, 0, "", [], (), 0, "", "")
    rng = streams.random("owners")
    owners = []
    for number, (role, country) in enumerate(jobs, start=1):
        name, email = staff.person(rng)
        owners.append(
            {"owner_id": f"OWN-{number:02d}", "name": name, "email": email, "role": role, "country": country}
        )
    return owners


def build_account(book: Book, number: int) -> Account:
    """Profile of one account from its own stream."""
    rng = book.streams.random("account", number)
    segment = _SEGMENTS[number % len(_SEGMENTS)]
    country = _COUNTRIES[(number * 3 + number // 8) % len(_COUNTRIES)]
    function = _FUNCTIONS[(number * 5 + number // 6) % len(_FUNCTIONS)]
    head = COMPANY_HEADS[number % len(COMPANY_HEADS)]
    tail = COMPANY_TAILS[(number * 7 + number // len(COMPANY_HEADS)) % len(COMPANY_TAILS)]
    csms = [owner["owner_id"] for owner in book.owners if owner["role"] == "csm"]
    executives = [owner["owner_id"] for owner in book.owners if owner["role"] == "ae"]
    main = FUNCTION_LABELS[function]
    others = rng.sample(OTHER_DEPARTMENTS, 2)
    names_departments = rng.random() < 0.65
    departments = [main, *others[: rng.choice((0, 1, 1, 2))]]
    has_connect = rng.random() < 0.5
    account = Account(
        number=number,
        account_id=f"ACC-{number + 1:04d}",
        name=f"{head} {tail}",
        domain=f"{ascii_name(head)}-{ascii_name(tail)}.example",
        segment=segment,
        country=country,
        currency=_CURRENCIES.get(country, "EUR"),
        seats=rng.randint(*_SEATS[segment]),
        seat_price=_SEAT_PRICES[segment],
        function=function,
        departments=departments,
        licensed=tuple(departments) if names_departments else (),
        start=-rng.randint(150, 1400),
        owner_id=csms[number % len(csms)],
        ae_id=executives[number % len(executives)],
        restricts=names_departments and rng.random() < 0.3,
        modules=tuple(name for name in MODULE_PRICES if name != "Connect" and rng.random() < 0.45)
        + (("Connect",) if has_connect else ()),
        meter="api_calls" if has_connect else None,
        meter_limit=rng.choice((40_000, 60_000, 100_000, 150_000)),
        pool_share=rng.uniform(0.42, 0.58),
        idle_share=rng.uniform(0.12, 0.24),
        is_reserved=number % _RESERVED_EVERY == _RESERVED_EVERY - 1,
    )
    if account.is_reserved:
        _shape_reserved(account, book, number // _RESERVED_EVERY)
    return account


def _shape_reserved(account: Account, book: Book, turn: int) -> None:
    account.is_steady = True
    if turn % 4 in (0, 2):  # no single sign-on: the identity source stays blind
        account.has_identity, account.licensed, account.restricts = False, (), False
    elif turn % 4 == 1:
        account.churn_day = round(book.horizon * 0.7)
    else:
        account.start = round(book.horizon * 0.4)
        account.meter = None


def first_paid_on(account: Account, book: Book) -> date:
    """First paid start."""
    return book.period.day(account.start)


def renewal_after(account: Account, book: Book, number: int) -> date:
    """Next anniversary of the first paid start after a day."""
    paid, day = first_paid_on(account, book), book.period.day(number)
    month_day = (paid.month, min(paid.day, 28))
    renewal = date(day.year, *month_day)
    return renewal if renewal > day else date(day.year + 1, *month_day)


def write_contract(account: Account, book: Book) -> None:
    """Plan the account's CRM record and its subscription lines; later modules change them, ``export`` writes them."""
    period = book.period
    signed = account.start - 9
    line_start = period.day(account.start)
    if account.start < 0:
        line_start = line_start.replace(day=1)

    def line(unit: str, quantity: float, price: float, **more: object) -> Record:
        values = {
            "line_id": f"{account.account_id}-L{len(account.lines) + 1}",
            "account_id": account.account_id,
            "product": "Tidewater",
            "unit": unit,
            "quantity": quantity,
            "unit_price": price,
            "arr": round(quantity * price, 2),
            "currency": account.currency,
            "billing_period": None,
            "tier": _TIERS[account.segment],
            "module": None,
            "licensed_departments": None,
            "restricts_departments": None,
            "starts_on": line_start,
            "ends_on": None,
        }
        record = Record("billing_subscription_lines", values | more, signed)
        account.lines.append(record)
        return record

    line("plan", 1, _PLAN_PRICES[account.segment])
    account.seat_line = line(
        "seat",
        account.seats,
        account.seat_price,
        licensed_departments="|".join(account.licensed) or None,
        restricts_departments=account.restricts if account.licensed else None,
    )
    if account.meter:
        line(account.meter, account.meter_limit, _CALL_PRICE, billing_period="month")
    for module in account.modules:
        line("module", 1, MODULE_PRICES[module], module=module)
    account.crm = Record("crm_accounts", _crm_values(account, book), min(account.start - 25, account.start))
    if account.start >= 0:
        account.crm.values["status"] = "prospect"
        account.crm.change(account.start - 3, status="customer")
    if account.churn_day is not None:
        for record in account.lines:
            record.change(account.churn_day - 20, ends_on=period.day(account.churn_day))
        account.crm.change(account.churn_day, status="churned", arr=0.0)
    _roll_renewals(account, book)


def _crm_values(account: Account, book: Book) -> dict[str, object]:
    rng = book.streams.random("crm", account.number)
    return {
        "account_id": account.account_id,
        "name": account.name,
        "domain": account.domain,
        "segment": account.segment,
        "country": account.country,
        "arr": current_arr(account, 0),
        "currency": account.currency,
        "first_paid_on": first_paid_on(account, book),
        "renewal_on": renewal_after(account, book, account.first_use),
        "notice_days": rng.choice((30, 60, 90)),
        "fiscal_year_end_month": (None, None, 3, 6, 9)[account.number % 5],
        "owner_id": account.owner_id,
        "ae_id": account.ae_id,
        "use_case": rng.choice(USE_CASES),
        "using_function": account.function,
        "status": "customer",
    }


def current_arr(account: Account, number: int) -> float:
    """Sum of the lines' annual amounts as they stand on a day; lines that end are for the caller to leave out."""
    return round(
        sum(float(line.at(number)["arr"]) for line in account.lines if line.at(number)["ends_on"] is None), 2
    )


def _roll_renewals(account: Account, book: Book) -> None:
    assert account.crm is not None
    due = book.period.number(account.crm.values["renewal_on"])
    while due <= book.horizon and (account.churn_day is None or due < account.churn_day):
        account.crm.change(due, renewal_on=renewal_after(account, book, due))
        due = book.period.number(renewal_after(account, book, due))


def change_seats(
    account: Account, book: Book, day: int, seats: int, department: str | None = None, signed: int | None = None
) -> None:
    """End the seat line and open one with another quantity on ``day``, signed five days before (or on ``signed``).

    ``department`` is added to the licensed ones where the licence names any.
    """
    assert account.seat_line is not None and account.crm is not None
    signed = day - 5 if signed is None else signed
    old = account.seat_line
    old.change(signed, ends_on=book.period.day(day))
    values = old.values | {
        "line_id": f"{account.account_id}-L{len(account.lines) + 1}",
        "quantity": seats,
        "arr": round(seats * account.seat_price, 2),
        "starts_on": book.period.day(day),
        "ends_on": None,
    }
    if department and values["licensed_departments"]:
        values["licensed_departments"] = f"{values['licensed_departments']}|{department}"
    account.seat_line = Record(old.table, values, signed)
    account.lines.append(account.seat_line)
    account.crm.change(day, arr=current_arr(account, signed))


def export(account: Account, book: Book) -> None:
    """Write every version of the CRM record and of the lines."""
    assert account.crm is not None
    for record, stamp in [(account.crm, "updated_at"), *((line, "signed_at") for line in account.lines)]:
        export_record(record, stamp, account.country, book)


def export_record(record: Record, stamp: str, country: str, book: Book) -> None:
    """Write the versions of a record, each stamped in working hours and loaded in the night after."""
    rng = book.streams.random(
        "versions", record.table, *(str(value) for value in list(record.values.values())[:1])
    )
    for day, values in record.versions():
        moment = book.period.working_moment(country, day, rng)
        book.landing.add(record.table, book.period.nightly(day), values | {stamp: moment})


def export_lists(book: Book) -> None:
    """Write owners, price list and exchange rates."""
    period = book.period
    start = period.evening(0)
    for owner in book.owners:
        book.landing.add("crm_owners", period.nightly(-1), owner | {"updated_at": start - timedelta(days=40)})
    year_start = datetime.combine(date(period.first_day.year, 1, 1), time())
    products: list[tuple[str, float, str | None]] = [
        ("plan", _PLAN_PRICES[segment], tier) for segment, tier in _TIERS.items()
    ]
    products += [("seat", _SEAT_PRICES[segment], tier) for segment, tier in _TIERS.items()]
    products += [("api_calls", _CALL_PRICE, None)]
    products += [(f"module:{module}", price, None) for module, price in MODULE_PRICES.items()]
    for number, (unit, price, tier) in enumerate(products, start=1):
        kind, _, module = unit.partition(":")
        row = {
            "price_id": f"PRC-{number:02d}",
            "product": module or "Tidewater",
            "tier": tier,
            "unit": kind,
            "price": price,
            "currency": "EUR",
            "valid_from": year_start.date(),
        }
        book.landing.add("billing_prices", period.nightly(-1), row)
    rates = {"GBP": 1.16, "USD": 0.91}
    rng = book.streams.random("rates")
    for number in range(0, period.length, 7):
        for currency in rates:
            rates[currency] = round(rates[currency] * (1 + rng.uniform(-0.006, 0.006)), 4)
            row = {"currency": currency, "rate_on": period.day(number), "rate_to_eur": rates[currency]}
            book.landing.add("billing_exchange_rates", period.nightly(number), row)
