"""States, figures and fixes: a fix counts an account only when nothing else stands in its way."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.readiness.diagnostic import ALL_SOURCES, build_diagnostic
from expansion_assets.readiness.needs import needs_of, unmet
from tests.unit.readiness.diagnostic_rows import (
    DAY,
    FLAGS,
    data_set,
    diagnose,
    group,
    history,
    landing,
    match_rate,
    off,
)

TRIGGERS = list(load_catalogue().signals.triggers)


def test_everything_there_is_watchable_and_asks_for_nothing():
    rows, fixes = diagnose([group()])
    assert {row["state"] for row in rows.values()} == {"watchable"}
    assert {row["fix"] for row in rows.values()} == {None}
    assert fixes == []
    assert {source for trigger, source in rows if trigger == "CROSS_TEAM"} == {"all", "product", "identity", "billing"}


@pytest.mark.parametrize(
    ("table", "status", "message", "flags", "trigger", "kind", "words"),
    [
        ("identity_directory", "missing", "no file matches identity/*", off("identity"), "CROSS_TEAM", "deliver",
         "deliver `identity_directory` (no file matches identity/*)"),
        ("identity_directory", "empty", "", off("identity"), "CROSS_TEAM", "fill_table",
         "ask for rows of `identity_directory` (its files hold none so far)"),
        ("support_tickets", "failed", "t.csv: required column priority is missing", off("support", "ticket_texts"),
         "ADVANCED_TICKETS", "mend", "mend the file of `support_tickets` (t.csv: required column priority is missing)"),
    ],
)
def test_a_table_that_did_not_land_is_one_clean_up(table, status, message, flags, trigger, kind, words):
    rows, fixes = diagnose([group(**flags)], history(**{table: None}), (landing(table, status, message),))
    row = rows[trigger, ALL_SOURCES]
    assert (row["state"], row["fix_kind"], row["fix"]) == ("one_clean_up", kind, words)
    assert (row["accounts_watchable"], row["accounts_gained"], row["arr_gained"]) == (0, 10, 1000.0)
    assert fixes[0]["is_at_most"] and trigger in fixes[0]["triggers"]


def test_a_column_that_is_not_mapped_or_empty_is_named():
    tables = history(support_tickets={"filled_columns": None})
    rows, _ = diagnose([group(**off("ticket_texts"))], tables)
    assert rows["ADVANCED_TICKETS", "support"]["fix"] == "fill `body` of `support_tickets` (it is empty in every row)"
    rows, _ = diagnose([group(**off("ticket_texts"))], tables, data=data_set(columns={"support_tickets": "body"}))
    assert rows["ADVANCED_TICKETS", "support"]["fix"] == "map `body` into `support_tickets`"
    assert rows["ADVANCED_TICKETS", "support"]["state"] == "one_clean_up"
    assert rows["ADJACENT_USE", ALL_SOURCES]["state"] == "watchable"  # other texts are there


def test_a_table_that_is_not_mapped_is_a_clean_up_and_a_declared_lack_is_not():
    tables = history(identity_directory=None)
    rows, _ = diagnose([group(**off("identity"))], tables, data=data_set(without=("identity_directory",)))
    row = rows["CROSS_TEAM", "identity"]
    assert (row["state"], row["fix_kind"]) == ("one_clean_up", "map")
    assert "`subject_id`, `email`" in row["fix"]
    lacking = data_set(absent={"identity": "no sign-on at all"}, without=("identity_directory",))
    rows, fixes = diagnose([group(**off("identity"))], tables, data=lacking)
    row = rows["CROSS_TEAM", "identity"]
    assert (row["state"], row["fix"]) == ("blind", "get `identity_directory` (no sign-on at all)")
    assert (fixes[0]["is_clean_up"], fixes[0]["accounts_gained"]) == (False, 10)


def test_a_stale_source_is_restarted_from_the_day_the_contract_calls_it_stale():
    for age, state in ((2, "records"), (3, "refresh")):
        tables = history(product_usage={"newest_known_on": DAY - timedelta(days=age)})
        rows, _ = diagnose([group(**off("product"))], tables)
        assert rows["USAGE_MILESTONE", "product"]["fix_kind"] == state
    assert rows["USAGE_MILESTONE", "product"]["freshness_days"] == 3
    assert "the newest record is of 27 Jun 2026, 3 days are allowed" in rows["USAGE_MILESTONE", "product"]["fix"]


def test_a_stale_source_covers_whom_it_covered_on_its_last_fresh_day():
    tables = history(product_usage={"newest_known_on": DAY - timedelta(days=9)})
    seen = group(7, 700.0, **off("product"), was_watchable_product=True)
    never = group(3, 300.0, **off("product"), was_watchable_product=False)
    rows, fixes = diagnose([seen, never], tables)
    row = rows["USAGE_MILESTONE", ALL_SOURCES]
    assert (row["accounts_gained"], row["arr_gained"], row["is_at_most"]) == (7, 700.0, False)
    assert [(fix["steps"], fix["accounts_gained"]) for fix in fixes] == [(1, 7), (2, 3)]


def test_lost_rows_ask_for_matching_and_only_complete_ones_for_new_records():
    blind = [group(8, 800.0), group(2, 200.0, **off("identity"))]
    rows, _ = diagnose(blind, rates=(match_rate("identity_directory", 1000, 880),))
    row = rows["CROSS_TEAM", "identity"]
    assert (row["fix_kind"], row["accounts_gained"], row["is_at_most"]) == ("match", 2, True)
    assert "120 of 1,000 recent ones reach no account" in row["fix"]
    assert (row["rows_match_rate"], row["arr_match_rate"]) == (0.88, 0.9)
    rows, _ = diagnose(blind, rates=(match_rate("identity_directory"),))
    assert rows["CROSS_TEAM", "identity"]["fix_kind"] == "records"
    assert "every recent row reaches an account" in rows["CROSS_TEAM", "identity"]["fix"]
    rows, _ = diagnose(blind)
    assert "every recent" not in rows["CROSS_TEAM", "identity"]["fix"]  # nobody measured it


def test_a_missing_denominator_is_entered():
    rows, fixes = diagnose([group(), group(1, 50.0, **off("contracted_seats"))])
    row = rows["USAGE_MILESTONE", "billing"]
    assert (row["state"], row["fix_kind"]) == ("one_clean_up", "limit")
    assert (row["accounts_gained"], row["arr_gained"]) == (1, 50)
    assert not row["is_at_most"]
    assert rows["CROSS_TEAM", "billing"]["state"] == "watchable"
    assert [fix["triggers"] for fix in fixes] == ["USAGE_MILESTONE"]


def test_two_problems_are_blind_at_both_sources_and_shown_apart():
    tables = history(identity_directory=None, product_usage={"filled_columns": None})
    rows, fixes = diagnose([group(**off("identity", "product"))], tables, (landing("identity_directory", "empty"),))
    assert rows["CROSS_TEAM", ALL_SOURCES]["state"] == "blind"
    assert rows["CROSS_TEAM", "product"]["state"] == rows["CROSS_TEAM", "identity"]["state"] == "blind"
    assert not rows["CROSS_TEAM", "identity"]["is_fix_enough"]
    assert rows["CROSS_TEAM", "identity"]["accounts_gained"] == 0
    assert rows["CROSS_TEAM", ALL_SOURCES]["fix_steps"] == 2
    assert rows["USAGE_MILESTONE", "product"]["state"] == "one_clean_up"
    assert [(fix["steps"], fix["triggers"]) for fix in fixes] == [(1, "USAGE_MILESTONE"), (2, "CROSS_TEAM")]


def test_a_need_that_waits_counts_when_its_whole_table_fails_it():
    """An account without tickets is not opened by tickets alone when no ticket has words."""
    tables = history(support_tickets={"filled_columns": None})
    _, fixes = diagnose([group(2, 20.0, **off("support", "ticket_texts"))], tables)
    assert [(fix["steps"], fix["triggers"]) for fix in fixes if "ADVANCED" in fix["triggers"]] == [
        (2, "ADVANCED_TICKETS")]


def test_any_one_of_several_sources_is_enough():
    rows, fixes = diagnose([group(**off("contacts", "people"))])
    assert {fix["source_tables"] for fix in fixes} == {"crm_contacts", "people_job_alerts"}
    assert all(rows["ROLE_CHANGE", source]["is_alternative"] for source in ("crm", "people"))
    rows, fixes = diagnose([group(**off("people"))])
    assert fixes == []
    assert rows["ROLE_CHANGE", "people"]["fix"] is None  # contacts already see every account
    assert rows["ROLE_CHANGE", "people"]["state"] == "blind"


def test_unknown_arr_is_counted_apart_and_ranking_is_by_arr():
    small = group(5, 100.0, 0, **off("identity"))
    large = group(1, 900.0, 1, **off("contracted_seats"))
    rows, fixes = diagnose([small, large])
    assert rows["CROSS_TEAM", ALL_SOURCES]["arr_total"] == 1000.0
    assert rows["CROSS_TEAM", ALL_SOURCES]["accounts_arr_unknown"] == 1
    assert [fix["fix_kind"] for fix in fixes] == ["limit", "records"]
    assert [fix["accounts_arr_unknown"] for fix in fixes] == [1, 0]


def test_assumed_load_times_are_months_apart():
    assumed = {"first_loaded_on": None, "first_assumed_on": DAY - timedelta(days=731), "rows_assumed": 100}
    rows, _ = diagnose([group()], history(product_usage=assumed))
    row = rows["USAGE_MILESTONE", "product"]
    assert (row["history_months"], row["history_months_assumed"], row["is_history_assumed"]) == (0.0, 24.0, True)
    row = rows["USAGE_MILESTONE", "billing"]
    assert (row["history_months"], row["history_months_assumed"], row["is_history_assumed"]) == (12.0, None, False)


def test_without_accounts_nothing_is_watchable_and_the_reason_is_the_accounts():
    rows, fixes = diagnose([], history(crm_accounts=None), (landing("crm_accounts", "missing", "no file"),))
    assert {row["state"] for row in rows.values()} == {"blind"}
    assert {row["fix"] for row in rows.values()} == {"deliver `crm_accounts` (no file)"}
    assert fixes == []


def test_every_fix_is_what_an_account_by_account_count_gives():
    """Against the definition: an account is gained by a fix when repairing that one thing leaves no need unmet."""
    rng = random.Random(11)
    signals = load_catalogue().signals
    groups = []
    for number in range(300):
        flags = {flag: rng.random() < 0.75 for flag in FLAGS}
        groups.append(group(1, float(number), **flags))
    rows, fixes = diagnose(groups)
    repaired = {"identity_directory": ("watchable_identity",), "product_usage": ("watchable_product",)}
    for table, flags in repaired.items():
        found = next(fix for fix in fixes if fix["source_tables"] == table and fix["steps"] == 1)
        gained = [
            one for one in groups if any(
                unmet(needs_of(key, trigger), one)
                and not unmet(needs_of(key, trigger), {**one, **dict.fromkeys(flags, True)})
                for key, trigger in signals.triggers.items()
            )
        ]
        assert (found["accounts_gained"], found["arr_gained"]) == (len(gained), sum(one["arr"] for one in gained))
    for key, trigger in signals.triggers.items():
        watched = [one for one in groups if not unmet(needs_of(key, trigger), one)]
        assert rows[key, ALL_SOURCES]["accounts_watchable"] == len(watched)
        assert rows[key, ALL_SOURCES]["arr_covered"] == sum(one["arr"] for one in watched)


def test_days_are_judged_alone():
    """A range gives the rows of its days, whatever the other days hold."""
    groups, tables = defaultdict(list), []
    days = [DAY - timedelta(days=n) for n in (2, 1, 0)]
    for n, day in enumerate(days):
        groups[day] = [{**group(**(off("identity") if n == 1 else {})), "as_of_date": day}]
        tables += [{**row, "as_of_date": day} for row in history()]
    arguments = (tables, (), (), load_catalogue().signals, data_set())
    whole = build_diagnostic([g for day in days for g in groups[day]], *arguments, days)
    single = [build_diagnostic(groups[day], *arguments, [day]) for day in days]
    assert whole[0] == [row for rows, _ in single for row in rows]
    assert whole[1] == [fix for _, fixes in single for fix in fixes]
    assert len(whole[1]) == 1
