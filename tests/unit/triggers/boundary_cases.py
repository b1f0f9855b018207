"""Rows that lie on each side of every threshold of the catalogue: a threshold moved by a hair moves a firing.

Belongs here: for each sub-trigger, accounts that just reach and just miss each of its numbers. Does not belong here:
nudging the numbers, expectations. All accounts of a book are one run, so what concerns the whole book (outages, book
shares) has books of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from expansion_assets.triggers import adjacent_use, advanced_tickets, cross_team, role_change, usage_milestone
from tests.unit.triggers.conftest import day

Tables = dict[str, list[dict[str, Any]]]
LONG_AGO = day(-400)


def seat_account(name: str, users: Sequence[int | None], seats: int = 100, **columns: Any) -> list[dict[str, Any]]:
    """A row a day; None leaves it blind."""
    return [
        {
            "account_id": name, "as_of_date": day(number), "contracted_seats": seats, "active_users_28d": active,
            "watchable_product": active is not None, "first_paid_on": LONG_AGO, "seat_growth_60d_pct": 1.0, **columns,
        }
        for number, active in enumerate(users)
    ]


def changed_seats(name: str, seats: int, at_change: int, after: int) -> list[dict[str, Any]]:
    """Five days after the number of seats changed, users have grown."""
    users = [at_change] * 5 + [after] * 3
    return [
        row | ({"seats_changed_on": day(0), "active_users_at_seat_change": at_change} if number else {})
        for number, row in enumerate(seat_account(name, users, seats))
    ]


def seats(full: int) -> Tables:
    """Cases of a threshold of ``full`` of a hundred seats."""
    fifth, name = full // 5, f"{full}:"
    rows = [
        *seat_account(name + "reaches", [50, full]), *seat_account(name + "misses", [50, full - 1]),
        *seat_account(name + "half way to the limit", [50, full + 10]),
        *seat_account(name + "calm", [50, full, *[full - 5] * 14, full]),
        *seat_account(name + "nearly calm", [50, full, *[full - 4] * 14, full]),
        *seat_account(name + "calm too shortly", [50, full, *[full - 5] * 13, full]),
        *seat_account(name + "calm by two seats", [0, fifth, *[fifth - 2] * 14], 20),
        *seat_account(name + "calm by one seat", [0, fifth, *[fifth - 1] * 14], 20),
        *seat_account(name + "grace", [50, *[full] * 60], first_paid_on=day(-50)),
        *changed_seats(name + "grown by two users", 20, fifth, fifth + 2),
        *changed_seats(name + "grown by one user", 20, fifth, fifth + 1),
        *changed_seats(name + "grown by five in a hundred", 100, full, full + 5),
        *changed_seats(name + "grown by four in a hundred", 100, full, full + 4),
        *seat_account(name + "bent ramp", [number * number // 100 for number in range(101)]),
        *seat_account(name + "remembered", [50, *[None] * 103, full]),
        *seat_account(name + "forgotten", [50, *[None] * 104, full]),
    ]
    for assigned, active in ((95, 60), (94, 60), (100, 60), (100, 59)):
        account = seat_account(f"{name}{assigned} assigned, {active} active", [10, 10])
        account[1] |= {"assigned_seats": assigned, "active_assigned_users_28d": active}
        rows += account
    return {"account_day": rows}


def departments() -> Tables:
    """Licensed departments at work."""

    def account(name: str, saturated: Sequence[int], licensed: int = 2, **columns: Any) -> Iterator[dict[str, Any]]:
        for number, count in enumerate(saturated):
            yield {
                "account_id": name, "as_of_date": day(number), "first_paid_on": LONG_AGO,
                "licensed_departments": licensed, "saturated_departments": count, "saturated_core_users_min": 4,
            } | columns

    return {
        "account_day": [
            *account("two", [0, 2]), *account("one", [0, 1], 1), *account("three", [0, 3], 3),
            *account("calm", [0, 2, *[0] * 20, 2]), *account("calm too shortly", [0, 2, *[0] * 19, 2]),
            *account("grace", [0, *[2] * 60], first_paid_on=day(-50)),
        ]
    }


def quotas() -> Tables:
    """Metered limits."""

    def account(
        name: str, used: Sequence[tuple[float, float | None]], ends: int = 300, **columns: Any
    ) -> Iterator[dict[str, Any]]:
        for number, (quantity, before) in enumerate(used):
            yield {
                "account_id": name, "as_of_date": day(number), "used_quantity": quantity, "period_end": day(ends),
                "previous_period_used_pct": before, "first_paid_on": LONG_AGO,
            } | columns

    return {
        "quota_day": [
            *account("reaches", [(50, None), (90, None)]), *account("misses", [(50, None), (89.5, None)]),
            *account("half way to the limit", [(50, None), (95, None)]),
            *account("calm", [(50, None), (90, None), (5, 84.5), (90, None)]),
            *account("nearly calm", [(50, None), (90, None), (5, 85.5), (90, None)]),
            *account("grace", [(50, None), *[(90, None)] * 60], first_paid_on=day(-50)),
            *account("three days before the end", [(50, None), (90, None)], ends=4),
            *account("four days before the end", [(50, None), (90, None)], ends=5),
        ]
    }


def groups() -> Tables:
    """Teams outside the scope."""

    def account(name: str, users: Sequence[int], renamed: int = 0, segment: str = "smb") -> Iterator[dict[str, Any]]:
        for number, count in enumerate(users):
            yield {
                "account_id": name, "as_of_date": day(number), "users_2of14": count, "segment": segment,
                "users_from_licensed": renamed,
            }

    return {
        "group_day": [
            *account("three", [0, 3]), *account("two", [0, 2]), *account("five", [0, 5]),
            *account("five of an enterprise", [0, 5], segment="enterprise"),
            *account("four of an enterprise", [0, 4], segment="enterprise"),
            *account("half renamed", [0, 100], 50), *account("nearly half renamed", [0, 100], 49),
            *account("gone for good", [0, 3, *[0] * 180, 3]), *account("gone for a while", [0, 3, *[0] * 179, 3]),
        ]
    }


def moves() -> Tables:
    """Every kind of move twice by one person, and a leaver with a successor."""
    kinds: dict[str, dict[str, Any]] = {
        "new_executive": {"move": "joined", "to_title": "CFO"},
        "promotion": {"move": "title_changed", "from_title": "Manager Finance", "to_title": "CFO"},
        "renewal_contact": {
            "move": "deal_role_changed", "to_deal_role": "renewal_contact", "previous_renewal_contact_key": "p0",
        },
        "champion_left": {"move": "left", "from_title": "Manager Finance", "current_deal_role": "champion"},
    }

    def move(account: str, number: int, kind: str, **columns: Any) -> dict[str, Any]:
        return {"account_id": account, "known_on": day(number), "row_key": f"{account}{number}"} | kinds[kind] | columns

    rows = []
    for kind in kinds:
        for days in (364, 365, 366):
            rows += [move(f"{kind} after {days}", 0, kind), move(f"{kind} after {days}", days, kind)]
        rows += [move(f"{kind} twice told", 0, kind), move(f"{kind} twice told", 0, kind, source="alerts")]
    for days in (30, 31):
        rows.append(move(f"contact for {days} days", 0, "new_executive", contact_days=days))
        rows += [
            move(f"successor after {days}", 0, "champion_left"),
            move(f"successor after {days}", days, "new_executive", person_key="p2"),
        ]
    return {"contact_moves": rows}


Question = tuple[int, str, str, bool]
"""Day, requester, topic, is it advanced."""


def desk(questions: dict[str, list[Question]], seen: dict[str, range] | None = None, others: int = 0) -> Tables:
    """Tickets of a book, the days on which each account is seen (all, unless told), and accounts that ask nothing."""
    tables: Tables = {"account_day": [], "texts": [], "tags": []}
    names = [*questions, *(f"other {number}" for number in range(others))]
    last = max(number for asked in questions.values() for number, *_ in asked) + 2
    for name in names:
        for number in range(last):
            is_seen = name in questions and number in (seen or {}).get(name, range(last))
            tables["account_day"].append({"account_id": name, "as_of_date": day(number), "watchable_support": is_seen})
    for account, asked in questions.items():
        for place, (number, requester, topic, is_advanced) in enumerate(asked):
            text_id = f"{account}-{place}"
            tables["texts"].append({
                "text_id": text_id, "account_id": account, "requester_key": requester, "topic": topic,
                "happened_on": day(number),
            })
            if is_advanced:
                tables["tags"].append({"tag_id": f"g{text_id}", "text_id": text_id, "label": "advanced_intent"})
    return tables


def asked(number: int, advanced: int, basic: int = 0, requesters: int = 2) -> list[Question]:
    """Questions of one day, each on a topic of its own."""
    return [(number, f"u{n % requesters}", f"t{n}", n < advanced) for n in range(advanced + basic)]


def outage(struck: int, others: int = 0) -> Tables:
    """A topic asked about on one day by some accounts, one of which has no third advanced question without it."""
    crowd = {f"c{number}": [(1, "u0", "down", False)] for number in range(struck - 1)}
    return desk({"struck": [(1, "u0", "down", True), *asked(1, 2)], **crowd}, others=others)


LONG_BASELINE = [*asked(0, 1), *asked(119, 3), *asked(125, 1)]
DESKS: dict[str, list[Tables]] = {
    "window_days": [
        # The oldest of three leaves the window.
        desk({"spread": [(0, "u0", "t0", True), (days, "u1", "t1", True), (days, "u2", "t2", True)]})
        for days in (29, 30)
    ],
    "min_advanced": [desk({"three": asked(1, 3)}), desk({"two": asked(1, 2)})],
    "limit_advanced": [desk({"four": asked(1, 4)})],
    "min_requesters": [
        desk({"two ask": asked(1, 3)}),
        desk({"one asks advanced, another basic": [*asked(1, 3, requesters=1), (1, "u9", "t9", False)]}),
    ],
    "sole_contact_topics": [
        desk({"sole contact": [(1 + n, "u0", f"t{n % topics}", True) for n in range(3)]}) for topics in (2, 3)
    ],
    "min_share": [desk({"half": asked(1, 3, 3)}), desk({"nearly half": asked(1, 49, 51)})],
    # Half of the baseline is advanced: three quarters are 25 points above it.
    "lift_points": [desk({"lifted": [*asked(1, 2, 2), *asked(60, advanced, basic)]}) for advanced, basic in
                    ((3, 1), (37, 13))],
    # An advanced question of old forbids the lift for as long as it is in the baseline.
    "baseline_from_days": [desk({"long ago": LONG_BASELINE})],
    "baseline_to_days": [
        desk({"seen late": [*asked(0, 1), *asked(25, 3), *asked(40, 1)]}, {"seen late": range(first, 50)})
        for first in (30, 31, 32)
    ],
    # Own baseline basic, the book's four fifths advanced: shrinking decides.
    "shrink_weight": [
        desk({"shrunk": [*asked(1, 0, 1), *asked(60, advanced, 1)], "book": asked(1, 4)}) for advanced in (8, 9)
    ],
    "outage_min_accounts": [outage(5), outage(4)],
    "outage_min_share": [outage(5, 45), outage(5, 50)],
    "rearm_days": [desk({"calm": [*asked(1, 3), *asked(60, 3)]}), desk({"calm": [*asked(1, 3), *asked(61, 3)]})],
}
"""Number of the rule -> books. In a book of one account the baseline is its own share, however it is shrunk."""


def mentions() -> Tables:
    """Neighbouring problems, said and known at all distances."""
    tables: Tables = {"account_day": [], "texts": [], "tags": []}

    def account(name: str, said: Sequence[tuple[int, int]], seen: range = range(200)) -> None:
        tables["account_day"] += [
            {"account_id": name, "as_of_date": day(number), "watchable_text": number in seen} for number in range(200)
        ]
        for place, (happened, known) in enumerate(said):
            text = {"text_id": f"{name}-{place}", "account_id": name}
            tables["texts"].append(text | {"happened_on": day(happened), "known_on": day(known)})
            tables["tags"].append({
                "tag_id": f"g{name}-{place}", "text_id": f"{name}-{place}", "label": "adjacent_use",
                "problem_key": "reporting",
            })

    for days in (6, 7):
        account(f"seen after {days}", [(0, 0)], range(days, 200))
    for days in (89, 90):
        account(f"known after {days}", [(0, days)])
    for days in (89, 90, 91):
        account(f"again after {days}", [(0, 0), (days, days)])
    account("twice", [(0, 0), (0, 0)])
    return tables


def books(sub_trigger: str, number: str) -> tuple[ModuleType, list[Tables]]:
    """Detector of a sub-trigger, and the books in which one of its numbers decides.

    Raises:
        KeyError: the number has no case.
    """
    match sub_trigger:
        case "seats" | "seats_full":
            return usage_milestone, [seats(80 if sub_trigger == "seats" else 100)]
        case "departments":
            return usage_milestone, [departments()]
        case "quota":
            return usage_milestone, [quotas()]
        case "new_executive" | "promotion" | "renewal_contact" | "champion_left":
            return role_change, [moves()]
        case "new_department":
            return cross_team, [groups()]
        case "advanced_shift":
            return advanced_tickets, DESKS[number]
        case "adjacent_problem":
            return adjacent_use, [mentions()]
    raise KeyError(sub_trigger)


LAST = day(420)
