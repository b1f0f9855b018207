"""Detectors on random books: the independent oracle agrees event by event, and nothing leaks out of the future."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from expansion_assets.catalogue.rules import RULES
from tests.dbt.in_memory import InMemoryWarehouse
from tests.dbt.project import WINDOW_MODELS, Dbt, day
from tests.dbt.raw_tables import RawTables, at
from tests.dbt.recorded import Recording
from tests.dbt.story_book import DAYS, FIRST, StoryBook, days, on
from tests.oracle.oracle import firing_events

SEEDS = (0, 4, 6)


@pytest.fixture(scope="module")
def recordings(dbt: Dbt) -> tuple[Recording, Recording]:
    """What dbt executes on a new warehouse and on one that has a past."""
    first, later = Recording(), Recording()
    dbt.start(RawTables())
    for recording, number, select in ((first, 0, None), (later, 1, WINDOW_MODELS)):
        dbt.listeners.append(recording.keep)
        dbt.run(day(number), day(number + 1), *([select] if select else []))
        dbt.listeners.clear()
    return first, later


Event = tuple[Any, ...]


@pytest.fixture(scope="module")
def worlds(recordings: tuple[Recording, Recording]) -> dict[int, tuple[set[Event], set[Event]]]:
    """By seed: the events of the pipeline and those of the oracle."""
    found = {}
    for seed in SEEDS:
        book = StoryBook(seed)
        warehouse = InMemoryWarehouse(book.raw, book.tags, *recordings)
        warehouse.run(on(0), on(DAYS))
        ours = warehouse.rows("select * from triggers.firing_events where event_type <> 'returned'")
        oracle = firing_events(warehouse.raw_rows(), book.tags, list(days()))
        found[seed] = (set(map(_of_row, ours)), {_of_row(event._asdict()) for event in oracle})
        assert len(found[seed][0]) == len(ours)
        warehouse.connection.close()
    return found


def _of_row(row: dict[str, Any]) -> Event:
    names = ("account_id", "trigger", "sub_trigger", "subject_key", "event_type", "as_of_date", "reason",
             "is_initial_state", "is_fleet_event")
    # The models write labels in lower case.
    return tuple(row[name].lower() if name == "subject_key" else row[name] for name in names)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_oracle_agrees_event_by_event(worlds: dict[int, tuple[set[Event], set[Event]]], seed: int) -> None:
    ours, oracle = worlds[seed]
    assert sorted(ours - oracle, key=str) == []
    assert sorted(oracle - ours, key=str) == []


def test_the_worlds_fire_every_sub_trigger_in_every_way(worlds: dict[int, tuple[set[Event], set[Event]]]) -> None:
    """Else agreement would prove little."""
    events = [event for ours, _ in worlds.values() for event in ours]
    opened = Counter(event[2] for event in events if event[4] == "opened")
    assert {name for _, name in RULES} - {name for name, count in opened.items() if count >= 3} == set()
    assert {(event[4], event[6]) for event in events} == {
        ("opened", None), ("opened", "grace_end"), ("suppressed", "grace"), ("suppressed", "same_episode"),
        ("closed", "re_armed"), ("closed", "limit_changed"),
    }


KNOWN = 100
"""The day on which everything that is leaked becomes known."""
TABLES = {
    "features.account_day": "as_of_date", "features.quota_day": "as_of_date", "features.group_day": "as_of_date",
    "features.contact_moves": "known_on", "features.texts": "known_on", "features.timeline_events": "known_on",
    "features.match_rate_day": "as_of_date", "features.excluded_users_day": "as_of_date",
    "triggers.detections": "as_of_date", "triggers.evidence": "as_of_date", "triggers.firing_events": "as_of_date",
}


def leaked(book: StoryBook) -> None:
    """Facts of the past, told late, corrections of old rows, a deletion, and a fact of the future, all on one day."""
    raw, told = book.raw, on(KNOWN)
    stamp = {"updated_at": at(told)}
    for place in range(9):
        user = {"user_id": f"late-{place}", "account_id": "A0", "email": f"late{place}@a0.example"}
        raw.add("product_users", told, **user, user_kind="employee", created_at=at(FIRST), updated_at=at(FIRST))
        for number in range(KNOWN - 20, KNOWN - 5):
            raw.add(
                "product_usage", told, usage_id=f"late-{place}-{number}", account_id="A0", user_id=user["user_id"],
                used_on=on(number), feature="board", event_count=1, minutes=5.0,
            )
    line = {"product": "suite", "unit": "seat", "unit_price": 100.0, "currency": "EUR"}
    raw.add("billing_subscription_lines", told, line_id="A1-L1", account_id="A1", **line, quantity=3.0,
            starts_on=on(-300), signed_at=at(on(3)))
    raw.delete("billing_subscription_lines", told, line_id="A2-L1")
    raw.add("people_job_alerts", told, alert_id="late", account_domain="a3.example", person_email="new@a3.example",
            move="joined", to_title="CFO", function="finance", happened_on=on(KNOWN - 30))
    for place in range(4):
        ticket = f"late-{place}"
        raw.add(
            "support_tickets", told, ticket_id=ticket, account_id="A4", requester_email=f"c{place}@a4.example",
            subject="Question", body=f"How {ticket}?", topic="api", priority="low", is_escalated=False, status="open",
            created_at=at(on(KNOWN - 10), 9),
        )
        book.tag("support_tickets", ticket, "advanced_intent")
    # Signed and known on that day, it runs from twenty days later on.
    raw.add("billing_subscription_lines", told, line_id="A5-L9", account_id="A5", **line, quantity=50.0,
            starts_on=on(KNOWN + 20), signed_at=at(told))
    for place in range(4):
        entry = {"subject_id": f"SA6-Finance-{place}", "account_id": "A6", "email": f"a6-finance-{place}@a6.example"}
        raw.add("identity_directory", told, **entry, department="Research", provisioned_at=at(FIRST), **stamp)


def differences(left: InMemoryWarehouse, right: InMemoryWarehouse, table: str) -> list[dict[str, Any]]:
    """Rows of a table that stand in one warehouse only."""

    def rows(warehouse: InMemoryWarehouse) -> Counter[str]:
        found = warehouse.rows(f"select * from {table}")
        kept.update({repr(row): row for row in found})
        return Counter(map(repr, found))

    kept: dict[str, dict[str, Any]] = {}
    one, other = rows(left), rows(right)
    return [kept[row] for row in ((one - other) + (other - one))]


def test_nothing_leaks_out_of_the_future(recordings: tuple[Recording, Recording]) -> None:
    """Late facts, corrections, deletions and facts of the future move no row of a day before they are known."""
    clean, planted = StoryBook(0), StoryBook(0)
    leaked(planted)
    one, other = (InMemoryWarehouse(book.raw, book.tags, *recordings) for book in (clean, planted))
    for warehouse in (one, other):
        warehouse.run(on(0), on(DAYS))
    found = {table: differences(one, other, table) for table in TABLES}
    early = {
        table: [row for row in rows if row[TABLES[table]] < on(KNOWN)] for table, rows in found.items()
    }
    assert {table: rows for table, rows in early.items() if rows} == {}
    # That something moves from that day on is what makes the test a test.
    unmoved = {table for table, rows in found.items() if not rows}
    assert unmoved <= {"features.excluded_users_day", "features.quota_day"}
    moved = {row["account_id"]: row["as_of_date"] for row in sorted(
        found["features.account_day"], key=lambda row: row["as_of_date"], reverse=True
    )}
    assert {account: moved[account] for account in ("A0", "A1", "A2", "A4")} == dict.fromkeys(
        ("A0", "A1", "A2", "A4"), on(KNOWN)
    )
    assert moved["A5"] == on(KNOWN + 20)
    assert {row["account_id"] for row in found["features.contact_moves"]} == {"A3"}
    assert "A6" in {row["account_id"] for row in found["features.group_day"]}
    opened = {(row["account_id"], row["sub_trigger"]) for row in found["triggers.detections"]}
    assert {("A3", "new_executive"), ("A4", "advanced_shift")} <= opened
