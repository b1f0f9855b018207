"""Which account a record reaches, who counts as a user, and since when that is known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dbt.project import WINDOW_MODELS, Dbt, day, rows
from tests.dbt.random_book import FIRST_DAY
from tests.dbt.raw_tables import RawTables, at
from tests.dbt.test_knowledge import active_users, use


def book(**domains: str) -> RawTables:
    """Accounts by id and domain, each with a seat line; A1 uses the product daily, so that use is fresh."""
    raw = RawTables()
    for account, domain in domains.items():
        raw.add(
            "crm_accounts", FIRST_DAY, account_id=account, name=account, domain=domain, status="customer", arr=100.0,
            currency="EUR", updated_at=at(FIRST_DAY),
        )
        raw.add(
            "billing_subscription_lines", FIRST_DAY, line_id=f"{account}-L", account_id=account, product="suite",
            unit="seat", quantity=10.0, starts_on=FIRST_DAY, signed_at=at(FIRST_DAY),
        )
    return raw


def user(raw: RawTables, name: str, email: str | None, account: str | None = "A1", **values: Any) -> None:
    """A product user, known from the first day."""
    row = {"user_kind": "employee", "created_at": at(FIRST_DAY), "updated_at": at(FIRST_DAY)} | values
    raw.add("product_users", FIRST_DAY, user_id=name, account_id=account, email=email, **row)


def settle(raw: RawTables, known: int, kind: str, key: str, account: str | None) -> None:
    """An override that becomes known on a day."""
    raw.add(
        "identity_overrides", day(known), key_kind=kind, match_key=key, account_id=account, decided_by="ops",
        reason="test", decided_at=at(day(known)),
    )


def ticket(raw: RawTables, number: int, requester: str, known: int, account: str | None = None) -> None:
    """A ticket that becomes known on a day."""
    raw.add(
        "support_tickets", day(known), ticket_id=f"T{number}", account_id=account, requester_email=requester,
        subject="Api", body="How?", priority="low", status="open", is_escalated=False, created_at=at(day(known)),
    )


def accounts_of_tickets(dbt: Dbt) -> dict[str, tuple[str, Any]]:
    """Ticket -> account it reached and the day on which that was known."""
    found = rows(dbt.warehouse, "select row_key, account_id, known_on from features.texts")
    return {key: (account, known) for key, account, known in found}


def test_one_person_with_several_users_counts_once(dbt: Dbt) -> None:
    raw = book(A1="one.example")
    user(raw, "U0", "ann@one.example")
    user(raw, "U1", "Ann <ANN+test@One.example>")
    user(raw, "U2", None)
    user(raw, "U3", "cara@localhost")
    for name in ("U0", "U1", "U2", "U3"):
        use(raw, name, day(0), day(0))
    dbt.start(raw)
    dbt.run(day(0), day(1))
    assert active_users(dbt) == {day(0): 3}


@pytest.mark.parametrize(
    ("email", "kind", "rule"),
    [
        ("svc-export@one.example", "service", "service_prefix"),
        ("deploy-bot@one.example", "service", "bot"),
        ("abbott@one.example", None, None),
        ("jane@ext.one.example", "contractor", "external_subdomain"),
    ],
)
def test_machines_and_guests_are_kept_out_and_counted_by_rule(dbt: Dbt, email: str, kind: str, rule: str) -> None:
    raw = book(A1="one.example")
    user(raw, "U0", "ann@one.example")
    user(raw, "U1", email)
    user(raw, "U2", "bob@one.example", user_kind="vendor")
    for name in ("U0", "U1", "U2"):
        use(raw, name, day(0), day(0))
    dbt.start(raw)
    dbt.run(day(0), day(1))
    excluded = rows(dbt.warehouse, "select user_kind, user_kind_rule, users_28d from features.excluded_users_day")
    assert sorted(excluded) == sorted(filter(None, [("vendor", "user_kind_column", 1), rule and (kind, rule, 1)]))
    assert active_users(dbt) == {day(0): 1 if rule else 2}
    assert rows(dbt.warehouse, "select excluded_users_28d from features.account_day") == [(len(excluded),)]


def test_an_override_counts_from_the_day_it_is_known(dbt: Dbt) -> None:
    raw = book(A1="one.example", A2="two.example")
    for known in (0, 3):
        ticket(raw, known, "Ann@eu.one.example", known)
        ticket(raw, 10 + known, "freda@gmail.com", known)
        ticket(raw, 20 + known, "bob@one.example", known)
        ticket(raw, 30 + known, "who@one.example", known, account="A1")
    settle(raw, 2, "domain", "www.ONE.example", "A2")
    settle(raw, 2, "email", "freda@gmail.com", "A1")
    settle(raw, 2, "email", "bob@one.example", "None")
    dbt.start(raw)
    dbt.run(day(0), day(2))
    assert accounts_of_tickets(dbt) == {"T0": ("A1", day(0)), "T20": ("A1", day(0)), "T30": ("A1", day(0))}
    dbt.run(day(2), day(5), WINDOW_MODELS)
    assert accounts_of_tickets(dbt) == {
        "T0": ("A1", day(0)), "T3": ("A2", day(3)), "T10": ("A1", day(2)), "T13": ("A1", day(3)),
        "T20": ("A1", day(0)), "T30": ("A1", day(0)), "T33": ("A1", day(3)),
    }
    unmatched = rows(dbt.warehouse, "select match_key, reason, row_count from intermediate.int_unmatched_keys")
    assert [(reason, count) for _, reason, count in unmatched] == [("forbidden", 2)]
    assert all("@" not in key for key, _, _ in unmatched)


def test_users_follow_an_override_of_their_address(dbt: Dbt) -> None:
    raw = book(A1="one.example", A2="two.example")
    user(raw, "U0", "freda@gmail.com", account=None)
    raw.add(
        "product_usage", day(0), usage_id="1", user_id="U0", used_on=day(0), feature="board", event_count=1, minutes=1.0
    )
    raw.add(
        "product_usage", day(3), usage_id="2", user_id="U0", used_on=day(3), feature="board", event_count=1, minutes=1.0
    )
    settle(raw, 2, "email", "Freda@Gmail.com", "A2")
    dbt.start(raw)
    dbt.run(day(0), day(4))
    query = "select account_id, as_of_date, active_users_28d from features.account_day where watchable_product"
    assert sorted(rows(dbt.warehouse, query)) == [("A2", day(2), 1), ("A2", day(3), 1)]


def test_an_id_that_was_merged_is_sent_on_from_the_day_it_is_known(dbt: Dbt) -> None:
    raw = book(A1="one.example", OLD="old.example")
    for known in (0, 3):
        ticket(raw, known, "a@old.example", known, account="OLD")
        ticket(raw, 10 + known, "a@nowhere.example", known, account="WS-7")
    settle(raw, 2, "source_id", "OLD", "A1")
    settle(raw, 2, "source_id", "WS-7", "A1")
    dbt.start(raw)
    dbt.run(day(0), day(4))
    found = {key: account for key, (account, _) in accounts_of_tickets(dbt).items()}
    assert (found["T0"], found["T3"], found["T13"]) == ("OLD", "A1", "A1")
    query = """
        select rows_total, rows_matched, rows_by_id, rows_by_override from features.match_rate_day
        where source_table = 'support_tickets' and as_of_date = date '{}'
    """
    assert rows(dbt.warehouse, query.format(day(3))) == [(4, 3, 1, 2)]
    unmatched = rows(dbt.warehouse, "select match_key, reason, row_count from intermediate.int_unmatched_keys")
    assert unmatched == [("WS-7", "unknown_id", 1)]


def test_no_overrides_file_makes_nothing_blind(dbt: Dbt) -> None:
    raw = book(A1="one.example")
    user(raw, "U0", "ann@one.example")
    use(raw, "U0", day(0), day(0))
    dbt.start(raw)
    dbt.run(day(0), day(1))
    assert rows(dbt.warehouse, "select watchable_product from features.account_day") == [(True,)]


def test_match_rates_by_rows_and_by_arr(dbt: Dbt) -> None:
    raw = book(A1="one.example", A2="two.example", A3="gmail.com")
    raw.add(
        "crm_accounts", day(1), account_id="A2", name="A2", domain="two.example", status="customer", arr=100.0,
        currency="USD", updated_at=at(day(1)),
    )
    raw.add("billing_exchange_rates", day(2), currency="USD", rate_on=day(2), rate_to_eur=0.5)
    for number, requester in enumerate(("a@one.example", "b@two.example", "c@gmail.com", "d@three.example", "x")):
        ticket(raw, number, requester, 0)
    user(raw, "U0", "a@one.example", account=None)
    user(raw, "U1", "a@three.example", account=None)
    dbt.start(raw)
    dbt.run(day(0), day(91))
    query = """
        select as_of_date, rows_total, rows_matched, rows_by_domain, accounts_matched, accounts_total, arr_matched,
            arr_total, currency, accounts_without_rate
        from features.match_rate_day where source_table = 'support_tickets' order by as_of_date
    """
    found = rows(dbt.warehouse, query)
    assert len(found) == 90
    assert found[0][1:] == (5, 2, 2, 2, 3, 200.0, 300.0, "EUR", 0)
    assert found[1][1:] == (5, 2, 2, 2, 3, 100.0, 200.0, "EUR", 1)
    assert found[2][1:] == (5, 2, 2, 2, 3, 150.0, 250.0, "EUR", 0)
    # A ticket counts for 90 days; a user for as long as the record stands.
    query = "select count(*), min(rows_total), min(rows_matched) from features.match_rate_day where source_table = '{}'"
    assert rows(dbt.warehouse, query.format("product_users")) == [(91, 2, 1)]
