"""Random frozen rows for every detector, and a catalogue whose days are few, so that fifty days hold whole lives.

Belongs here: rows of the feature tables, and what is done to rows. Does not belong here: expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

import yaml

from expansion_assets.catalogue.features import account_day_features
from expansion_assets.catalogue.loader import Catalogue, Segments, Signals, load_catalogue
from expansion_assets.catalogue.reading import CATALOGUE_DIR
from tests.unit.triggers.conftest import day

DAYS = 50
ACCOUNTS = tuple("abcdef")
SEGMENTS = ("smb", "enterprise", None)
Tables = dict[str, list[dict[str, Any]]]
QUICK: dict[str, dict[str, Any]] = {
    "seats": {"rearm_days": 4, "grace_days": 15, "projection_days": 12},
    "seats_full": {"rearm_days": 4, "grace_days": 15, "projection_days": 12},
    "quota": {"grace_days": 15},
    "departments": {"rearm_days": 5, "grace_days": 15},
    "new_executive": {"dedupe_days": 12},
    "promotion": {"dedupe_days": 12},
    "renewal_contact": {"dedupe_days": 12},
    "champion_left": {"dedupe_days": 12, "episode_days": 4},
    "new_department": {"return_days": 6},
    "advanced_shift": {
        "window_days": 8, "baseline_to_days": 9, "baseline_from_days": 25, "rearm_days": 4, "outage_min_accounts": 2,
        "outage_min_share": 0.5, "min_advanced": 2, "limit_advanced": 4,
    },
    "adjacent_problem": {"known_days": 3, "said_days": 10, "dedupe_days": 12},
}


def edited_catalogue(
    rules: Mapping[str, Mapping[str, Any]], common: Mapping[str, Any] | None = None
) -> Catalogue:
    """The catalogue with some values of some sub-triggers, and of what all share, replaced; segments as they are."""
    signals = yaml.safe_load((CATALOGUE_DIR / "signals.yml").read_text(encoding="utf-8"))
    signals["common"] |= common or {}
    for trigger in signals["triggers"].values():
        for name, sub_trigger in trigger["sub_triggers"].items():
            sub_trigger["rule"] |= rules.get(name, {})
    segments = yaml.safe_load((CATALOGUE_DIR / "segments.yml").read_text(encoding="utf-8"))
    return Catalogue(
        Signals.model_validate(signals), Segments.model_validate(segments), load_catalogue().titles,
        account_day_features(),
    )


def quick_catalogue() -> Catalogue:
    """Every number of days is small."""
    return edited_catalogue(QUICK, {"max_blind_days": 5})


def _spells(rng: Random, value: Callable[[], Any]) -> list[Any]:
    """A value a day, in spells: what random days would hardly ever be is calm for long."""
    days: list[Any] = []
    while len(days) < DAYS:
        days += [value()] * rng.randint(1, 12)
    return days[:DAYS]


def _paid_on(rng: Random) -> date | None:
    return rng.choice([None, day(-200), day(-5), day(10)])


def account_days(rng: Random) -> Tables:
    """Seats, assigned seats, departments and what is watchable, day by day."""
    rows = []
    for account in ACCOUNTS:
        segment, paid, changed = rng.choice(SEGMENTS), _paid_on(rng), rng.choice([None, rng.randint(1, DAYS)])
        users = _spells(rng, lambda: rng.choice([None, *range(4, 14)]))
        saturated = _spells(rng, lambda: rng.choice([None, 0, 1, 2, 2, 2]))
        for number, active in enumerate(users):
            has_changed = changed is not None and number >= changed
            rows.append({
                "account_id": account, "as_of_date": day(number), "segment": segment, "first_paid_on": paid,
                "watchable_product": active is not None, "active_users_28d": active,
                "contracted_seats": 8 if has_changed else 10,
                "seats_changed_on": day(changed) if has_changed else None,
                "active_users_at_seat_change": users[min(changed, DAYS - 1)] if has_changed else None,
                "assigned_seats": 10 if (active or 0) % 3 == 0 else 4,
                "active_assigned_users_28d": 6 if (active or 0) % 2 == 0 else 2,
                "seat_growth_60d_pct": 10.0, "licensed_departments": 2,
                "saturated_departments": saturated[number], "saturated_core_users_min": 3,
            })
    return {"account_day": rows}


def quota_days(rng: Random) -> Tables:
    """A meter day by day, each reading with the share that the period before used."""
    rows = []
    for account in ACCOUNTS:
        paid, changed = _paid_on(rng), rng.choice([None, rng.randint(1, DAYS)])
        used = _spells(rng, lambda: rng.choice([None, (50, None), (89, 80), (90, 85), (90, None), (120, 95), (40, 84)]))
        for number, reading in enumerate(used):
            rows.append({
                "account_id": account, "as_of_date": day(number), "first_paid_on": paid,
                "is_watchable": reading is not None, "limit_quantity": 100.0, "period_start": day(0),
                "limit_changed_on": day(changed) if changed and number >= changed else None,
                "used_quantity": reading and reading[0], "previous_period_used_pct": reading and reading[1],
                "period_end": day(31),
            })
    return {"quota_day": rows}


def group_days(rng: Random) -> Tables:
    """Groups in the scope or out of it, renamed or not, gone for a while."""
    rows = []
    for account in ACCOUNTS:
        segment = rng.choice(SEGMENTS)
        spells = _spells(rng, lambda: rng.choice([None, (rng.randint(0, 7), rng.randint(0, 3), rng.random() < 0.2)]))
        for number, spell in enumerate(spells):
            if spell is not None:
                rows.append({
                    "account_id": account, "as_of_date": day(number), "segment": segment, "users_2of14": spell[0],
                    "users_from_licensed": spell[1], "is_in_scope": spell[2], "is_watchable": spell[0] != 2,
                })
    return {"group_day": rows}


def contact_moves(rng: Random) -> Tables:
    """People who come, rise, change and go, told by several sources, some of them late."""
    titles = (None, "Analyst", "Finance Manager", "VP Finance", "CFO", "Head of IT")
    rows = []
    for number in range(120):
        happened = rng.randrange(DAYS)
        rows.append({
            "account_id": rng.choice(ACCOUNTS), "person_key": rng.choice(["p1", "p2", None]),
            "move": rng.choice(["joined", "title_changed", "deal_role_changed", "left"]),
            "from_title": rng.choice(titles), "to_title": rng.choice(titles), "function": rng.choice([None, "finance"]),
            "to_deal_role": "renewal_contact", "current_deal_role": rng.choice(["champion", "user"]),
            "previous_renewal_contact_key": rng.choice([None, "p1"]),
            "source": rng.choice(["crm", "alerts", "signatures"]), "row_key": f"r{number}",
            "happened_on": day(happened), "known_on": day(happened + rng.choice([0, 0, 3])),
        })
    return {"contact_moves": rows}


def talks(rng: Random) -> Tables:
    """Tickets with tags, some of them late, beside watchable and blind days."""
    texts, tags = [], []
    for number in range(90):
        happened, text_id = rng.randrange(DAYS), f"t{number}"
        texts.append({
            "text_id": text_id, "account_id": rng.choice((*ACCOUNTS, None)), "kind": "ticket",
            "requester_key": rng.choice(["u1", "u2", "u3", None]), "topic": rng.choice(["api", "sso", "audit", None]),
            "speaker_side": rng.choice(["customer", "customer", "customer", "vendor"]),
            "happened_on": day(happened), "known_on": day(happened + rng.choice([0, 0, 0, 2, 9])),
        })
        for label in rng.choice([("advanced_intent",), ("advanced_intent", "adjacent_use"), ("adjacent_use",), ()]):
            tags.append({
                "tag_id": f"g{number}-{label}", "text_id": text_id, "label": label, "quote": f"quote {number}",
                "problem_key": rng.choice(["reporting", "signing", None]),
                "polarity": rng.choice(["affirmed", "affirmed", "affirmed", "negated"]),
                "is_quote_found": rng.random() < 0.9,
            })
    account_day = [
        {"account_id": account, "as_of_date": day(number), "watchable_support": is_seen, "watchable_text": is_seen}
        for account in ACCOUNTS
        for number, is_seen in enumerate(_spells(rng, lambda: rng.random() < 0.8))
    ]
    return {"account_day": account_day, "texts": texts, "tags": tags}


def shifted(rows: Iterable[Mapping[str, Any]], days: int) -> Iterator[dict[str, Any]]:
    """Every date of some rows, later by as many days."""
    for row in rows:
        yield {
            name: value + timedelta(days=days) if isinstance(value, date) else value for name, value in row.items()
        }
