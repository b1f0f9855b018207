"""Frozen rows hold what was known on their day, whatever comes later."""

from __future__ import annotations

from datetime import date

import pytest

from tests.dbt.project import FEATURES, WINDOW_MODELS, Dbt, day, rows
from tests.dbt.random_book import FIRST_DAY
from tests.dbt.raw_tables import RawTables, at, write_control


def small_book() -> RawTables:
    """One account, one seat line, five users of which one is a service."""
    raw = RawTables()
    raw.add(
        "crm_accounts",
        FIRST_DAY,
        account_id="A1",
        name="One",
        domain="one.example",
        status="customer",
        updated_at=at(FIRST_DAY),
    )
    raw.add(
        "billing_subscription_lines",
        FIRST_DAY,
        line_id="L1",
        account_id="A1",
        product="suite",
        unit="seat",
        quantity=10.0,
        starts_on=FIRST_DAY,
        signed_at=at(FIRST_DAY),
    )
    for number in range(5):
        raw.add(
            "product_users",
            FIRST_DAY,
            user_id=f"U{number}",
            account_id="A1",
            email=f"u{number}@one.example",
            user_kind="service" if number == 4 else "employee",
            created_at=at(FIRST_DAY),
            updated_at=at(FIRST_DAY),
        )
    return raw


def use(raw: RawTables, user: str, used_on: date, known_on: date) -> None:
    """One use, known on a day."""
    raw.add(
        "product_usage",
        known_on,
        usage_id=f"{user}-{used_on}",
        account_id="A1",
        user_id=user,
        used_on=used_on,
        feature="board",
        event_count=1,
        minutes=5.0,
    )


def active_users(dbt: Dbt) -> dict[date, int]:
    """active_users_28d by day."""
    return dict(rows(dbt.warehouse, "select as_of_date, active_users_28d from features.account_day"))


def test_late_rows_count_from_the_day_they_are_known(dbt: Dbt) -> None:
    raw = small_book()
    for number in range(5):
        for used in range(12):
            if number in (0, 4):
                use(raw, f"U{number}", day(used), day(used))
    dbt.start(raw)
    dbt.run(day(0), day(10))
    before = active_users(dbt)

    use(raw, "U1", day(3), day(10))
    raw.write(dbt.warehouse)
    dbt.run(day(10), day(12), WINDOW_MODELS)

    after = active_users(dbt)
    assert {key: after[key] for key in before} == before
    assert (before[day(9)], after[day(10)], after[day(11)]) == (1, 2, 2)


def test_a_source_without_rows_is_blind_and_not_zero(dbt: Dbt) -> None:
    raw = small_book()
    use(raw, "U0", day(0), day(0))
    dbt.start(raw)
    dbt.run(day(0), day(5))
    found = rows(
        dbt.warehouse,
        """
        select watchable_product, active_users_28d, watchable_support, open_tickets, watchable_contacts,
            champions, watchable_text, contracted_seats
        from features.account_day order by as_of_date
        """,
    )
    assert found[0] == (True, 1, False, None, False, None, False, 10.0)
    # Use known on day 0 is fresh for three days.
    assert [row[0] for row in found] == [True, True, True, False, False]


def test_what_was_known_before_history_is_known_on_its_first_day(dbt: Dbt) -> None:
    raw = small_book()
    raw.add(
        "support_tickets",
        day(1),
        ticket_id="T1",
        account_id="A1",
        subject="Api",
        body="How?",
        priority="low",
        status="open",
        is_escalated=False,
        created_at=at(day(1)),
    )
    use(raw, "U0", day(1), day(1))
    dbt.start(raw)
    dbt.run(day(2), day(3))
    assert rows(dbt.warehouse, "select known_on from features.texts") == [(day(1),)]
    assert rows(dbt.warehouse, "select watchable_product, open_tickets from features.account_day") == [
        (True, 1)
    ]


@pytest.mark.parametrize("zone", ["Europe/Berlin"])
def test_days_end_in_the_workspace_time_zone(dbt: Dbt, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """23:30 UTC on New Year's Eve is New Year's Day in Berlin."""
    monkeypatch.setenv("EXPANSION_TIME_ZONE", zone)
    raw = RawTables()
    raw.add(
        "crm_accounts",
        at(date(2024, 12, 31), 23),
        account_id="A1",
        name="One",
        status="customer",
        updated_at=at(FIRST_DAY),
    )
    dbt.start(raw)
    write_control(dbt.warehouse, day(0), day(1), FIRST_DAY, zone=zone)
    assert dbt.call("run", "--select", *FEATURES).success
    assert rows(dbt.warehouse, "select from_on from intermediate.int_account_versions") == [(day(0),)]
    assert dbt.call("test", "--select", "days_agree_with_workspace_dates").success


def test_a_deleted_row_is_gone_from_then_on_and_as_it_was_before(dbt: Dbt) -> None:
    raw = small_book()
    use(raw, "U0", day(0), day(0))
    raw.add("crm_accounts", FIRST_DAY, account_id="A2", name="Two", domain="two.example", status="customer",
            updated_at=at(FIRST_DAY))
    dbt.start(raw)
    query = "select account_id, as_of_date, contracted_seats from features.account_day order by 1, 2"
    dbt.run(day(0), day(3))
    before = rows(dbt.warehouse, query)

    raw.delete("billing_subscription_lines", day(3), line_id="L1")
    raw.delete("crm_accounts", day(4), account_id="A2")
    raw.write(dbt.warehouse)
    dbt.run(day(3), day(6), WINDOW_MODELS)

    after = rows(dbt.warehouse, query)
    assert [row for row in after if row[1] < day(3)] == before
    assert before == [("A1", day(n), 10.0) for n in range(3)] + [("A2", day(n), None) for n in range(3)]
    assert [row for row in after if row[1] >= day(3)] == [
        *(("A1", day(n), None) for n in range(3, 6)), ("A2", day(3), None),
    ]
