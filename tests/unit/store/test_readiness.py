"""What the diagnostic reads: history carried from day to day, ARR in one currency as known by the day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb
import pytest

from expansion_assets.readiness.fixes import DataSet
from expansion_assets.readiness.needs import all_watches
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.versions import create_raw_tables
from expansion_assets.store.readiness import account_groups, source_history
from expansion_assets.store.warehouse import create_tables, replace_window, set_session
from expansion_assets.tables import SOURCE_HISTORY

DAY = date(2026, 3, 10)
ONE = timedelta(days=1)
FLAGS = list(dict.fromkeys(flag for watch in all_watches() for flag in watch.flags))


@pytest.fixture
def warehouse():
    with duckdb.connect() as connection:
        set_session(connection)
        create_raw_tables(connection, load_contracts())
        create_tables(connection)
        connection.execute("create schema if not exists features")
        flags = ", ".join(f"{flag} {'double' if flag == 'contracted_seats' else 'boolean'}" for flag in FLAGS)
        connection.execute(
            "create table features.account_day"
            f" (account_id varchar, as_of_date date, arr double, currency varchar, {flags})"
        )
        yield connection


def add(connection, table, **values):
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    connection.execute(f"insert into {table} ({names}) values ({places})", list(values.values()))


def arrived(connection, known, table="product_usage", assumed=False, **values):
    add(connection, f"raw.{table}", known_from=known, is_known_at_assumed=assumed, row_key=str(known), **values)


def account(connection, name, arr=None, currency=None, day=DAY, **flags):
    values = {flag: flags.get(flag, True) for flag in FLAGS} | {"contracted_seats": flags.get("contracted_seats", 5.0)}
    add(connection, "features.account_day", account_id=name, as_of_date=day, arr=arr, currency=currency, **values)


def rate(connection, currency, day, value, known, known_to=None):
    add(connection, "raw.billing_exchange_rates", currency=currency, rate_on=day, rate_to_eur=value, known_from=known,
        known_to=known_to)


def groups(connection, history=()):
    data_set = DataSet(load_contracts(), own_mapping(load_contracts(), DAY, DAY))
    return account_groups(connection, history, data_set, DAY, DAY + ONE, "UTC")


def counted(connection, first, end, zone="UTC"):
    rows = source_history(connection, load_contracts(), first, end, zone)
    return {row["as_of_date"]: row for row in rows if row["source_table"] == "product_usage"}, rows


def test_history_counts_up_to_each_day_and_knows_assumed_from_real(warehouse):
    arrived(warehouse, datetime(2026, 1, 1), assumed=True)
    arrived(warehouse, datetime(2026, 3, 9, 23, 59), user_id="u")
    arrived(warehouse, datetime(2026, 3, 11))
    found, _ = counted(warehouse, DAY - ONE - ONE, DAY + ONE + ONE)
    assert [row["rows_total"] for row in found.values()] == [1, 2, 2, 3]
    assert [row["filled_columns"] for row in found.values()] == [None, "user_id", "user_id", "user_id"]
    last = found[DAY + ONE]
    assert (last["rows_assumed"], last["first_assumed_on"], last["first_loaded_on"], last["newest_known_on"]) == (
        1, date(2026, 1, 1), date(2026, 3, 9), date(2026, 3, 11))


def test_history_of_a_range_is_that_of_its_days(warehouse):
    for n in range(6):
        arrived(warehouse, datetime(2026, 3, 6, 12) + n * ONE, user_id="u" if n == 3 else None, assumed=n % 2 == 1)
    first, end = DAY - 3 * ONE, DAY + ONE
    _, whole = counted(warehouse, first, end)
    single = []
    for n in range(4):
        day = first + n * ONE
        _, rows = counted(warehouse, day, day + ONE)
        replace_window(warehouse, SOURCE_HISTORY, rows, day, day + ONE)
        single += rows
    columns = list(SOURCE_HISTORY.columns)
    assert sorted([str([row.get(c) for c in columns]) for row in whole]) == sorted(
        [str([row.get(c) for c in columns]) for row in single])


def test_a_day_ends_in_the_time_zone_of_the_workspace(warehouse):
    arrived(warehouse, datetime(2026, 3, 9, 23, 30))
    found, _ = counted(warehouse, DAY - ONE, DAY + ONE, "Europe/Berlin")
    assert [row["rows_total"] for row in found.values()] == [0, 1]
    assert found[DAY]["newest_known_on"] == DAY


def test_amounts_meet_in_euros_at_the_rate_known_by_the_day(warehouse):
    rate(warehouse, "USD", DAY - 7 * ONE, 0.8, datetime(2026, 3, 3), known_to=datetime(2026, 3, 12))
    rate(warehouse, "USD", DAY - 7 * ONE, 0.7, datetime(2026, 3, 12))  # a correction of tomorrow
    rate(warehouse, "USD", DAY + ONE, 0.1, datetime(2026, 3, 1))
    rate(warehouse, "GBP", DAY - 500 * ONE, 1.2, datetime(2025, 1, 1))  # too old to be believed
    account(warehouse, "a", 100.0, "EUR")
    account(warehouse, "b", 100.0, "USD")
    account(warehouse, "c", 100.0, "GBP")
    account(warehouse, "d")
    [row] = groups(warehouse)
    assert (row["currency"], row["accounts"], float(row["arr"]), row["accounts_arr_unknown"]) == ("EUR", 4, 180.0, 2)


def test_a_book_in_one_currency_needs_no_rate(warehouse):
    account(warehouse, "a", 100.0, "USD")
    account(warehouse, "b", 50.5, "USD", watchable_identity=False)
    rows = groups(warehouse)
    assert {row["currency"] for row in rows} == {"USD"}
    assert sorted((row["watchable_identity"], float(row["arr"])) for row in rows) == [(False, 50.5), (True, 100.0)]


def test_contract_lines_stand_in_for_an_amount_the_crm_does_not_state(warehouse):
    lines = "raw.billing_subscription_lines"
    add(warehouse, lines, account_id="a", arr=70.0, currency="USD", starts_on=DAY, known_from=datetime(2026, 3, 1))
    for values in ({"ends_on": DAY, "known_from": datetime(2026, 3, 1)}, {"known_from": datetime(2026, 3, 11)},
                   {"known_from": datetime(2026, 3, 1), "known_to": datetime(2026, 3, 2)}):
        add(warehouse, lines, account_id="a", arr=9.0, currency="USD", starts_on=DAY - ONE, **values)
    add(warehouse, lines, account_id="b", arr=9.0, currency="USD", starts_on=DAY, known_from=datetime(2026, 3, 1))
    account(warehouse, "a")
    account(warehouse, "b", 30.0, "USD")
    [row] = groups(warehouse)
    assert (float(row["arr"]), row["accounts_arr_unknown"]) == (100.0, 0)


def test_seats_of_zero_are_no_limit(warehouse):
    account(warehouse, "a", 1.0, "EUR", contracted_seats=0.0)
    account(warehouse, "b", 1.0, "EUR", contracted_seats=None)
    [row] = groups(warehouse)
    assert (row["contracted_seats"], row["accounts"]) == (False, 2)


def test_a_stale_source_is_looked_up_on_its_last_fresh_day(warehouse):
    fresh_day = DAY - 5 * ONE
    for name, was in (("a", True), ("b", False)):
        account(warehouse, name, 1.0, "EUR", day=fresh_day, watchable_product=was)
    for name in ("a", "b", "c"):
        account(warehouse, name, 1.0, "EUR", watchable_product=False)
    history = [{"as_of_date": DAY, "source_table": "product_usage", "newest_known_on": fresh_day}]
    found = {row["was_watchable_product"]: row["accounts"] for row in groups(warehouse, history)}
    assert found == {True: 1, False: 1, None: 1}
