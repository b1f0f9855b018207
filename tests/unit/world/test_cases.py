"""Planted cases against the files themselves: the numbers that decide are counted again from the landing rows."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from expansion_assets.world import Case, World

ReadLanding = Callable[[Path, str], pl.DataFrame]
DAY = timedelta(days=1)


def _active_users(usage: pl.DataFrame, day: date) -> int:
    known = usage.filter(
        (pl.col("used_on") > (day - 28 * DAY).isoformat())
        & (pl.col("used_on") <= day.isoformat())
        & (pl.col("loaded_at").str.slice(0, 10) <= day.isoformat())
    )
    return known["user_id"].n_unique()


@pytest.fixture(scope="module")
def employee_usage(world: World, read_landing: ReadLanding) -> pl.DataFrame:
    users = read_landing(world.directory, "product_users").unique("user_id").select("user_id", "user_kind")
    usage = read_landing(world.directory, "product_usage").select(
        "account_id", "user_id", "used_on", "loaded_at"
    )
    return usage.join(users, on="user_id").filter(pl.col("user_kind") == "employee")


@pytest.fixture(scope="module")
def seat_lines(world: World, read_landing: ReadLanding) -> pl.DataFrame:
    lines = read_landing(world.directory, "billing_subscription_lines").filter(pl.col("unit") == "seat")
    return lines.sort("loaded_at").unique("line_id", keep="last").sort("starts_on")


def _seats(lines: pl.DataFrame, case: Case, day: date) -> float:
    text = day.isoformat()
    own = lines.filter(
        (pl.col("account_id") == case.account_id)
        & (pl.col("starts_on") <= text)
        & (pl.col("ends_on").is_null() | (pl.col("ends_on") > text))
    )
    return float(own["quantity"].item())


def _named(world: World, *names: str) -> list[Case]:
    return [case for case in world.cases if case.case_id.rpartition("-")[0] in names]


@pytest.mark.parametrize(("name", "share"), [("seats", 0.8), ("seats-before-full", 0.8), ("seats-full", 1.0)])
def test_the_line_is_crossed_on_the_first_expected_day(
    world: World, employee_usage: pl.DataFrame, seat_lines: pl.DataFrame, name: str, share: float
) -> None:
    for case in _named(world, name):
        own = employee_usage.filter(pl.col("account_id") == case.account_id)
        line = share * _seats(seat_lines, case, case.expected_from)
        assert _active_users(own, case.expected_from - DAY) < line < _active_users(own, case.expected_from), (
            case
        )


def test_grace_cases_cross_before_and_hold_when_it_ends(
    world: World, employee_usage: pl.DataFrame, seat_lines: pl.DataFrame
) -> None:
    for case in _named(world, "grace-end"):
        own = employee_usage.filter(pl.col("account_id") == case.account_id)
        line = 0.8 * _seats(seat_lines, case, case.expected_from)
        assert all(_active_users(own, case.expected_from - days * DAY) > line for days in (20, 1, 0)), case


@pytest.mark.parametrize(
    "name", ["seasonal", "service-accounts", "internal-users", "late-rows", "assigned-idle", "upgrade"]
)
def test_seat_decoys_stay_below_the_line(
    world: World, employee_usage: pl.DataFrame, seat_lines: pl.DataFrame, name: str
) -> None:
    (case,) = _named(world, name)
    own = employee_usage.filter(pl.col("account_id") == case.account_id)
    days = [
        case.expected_from + step * DAY for step in range((case.expected_to - case.expected_from).days + 1)
    ]
    assert all(_active_users(own, day) < 0.8 * _seats(seat_lines, case, day) for day in days)


@pytest.mark.parametrize("name", ["service-accounts", "internal-users", "late-rows"])
def test_seat_decoys_would_cross_without_their_rule(
    world: World, seat_lines: pl.DataFrame, name: str, read_landing: ReadLanding
) -> None:
    (case,) = _named(world, name)
    usage = read_landing(world.directory, "product_usage").filter(pl.col("account_id") == case.account_id)
    day = case.expected_from + 12 * DAY
    naive = usage.filter(
        pl.col("used_on").is_between(pl.lit((day - 27 * DAY).isoformat()), pl.lit(day.isoformat()))
    )
    assert naive["user_id"].n_unique() > 0.8 * _seats(seat_lines, case, day)


def test_the_release_lifts_a_tenth_of_the_book_on_one_day(
    world: World, employee_usage: pl.DataFrame, seat_lines: pl.DataFrame
) -> None:
    cases = _named(world, "fleet")
    assert len(cases) > 6 and len({case.expected_from for case in cases}) == 1
    for case in cases:
        day = case.expected_from + DAY
        own = employee_usage.filter(pl.col("account_id") == case.account_id)
        line = 0.8 * _seats(seat_lines, case, day)
        assert _active_users(own, day - DAY) < line < _active_users(own, day)


def test_quota_cases_pass_ninety_percent_on_the_expected_day(world: World, read_landing: ReadLanding) -> None:
    meters = read_landing(world.directory, "product_metered_usage").with_columns(
        pl.col("quantity").cast(pl.Float64)
    )
    lines = read_landing(world.directory, "billing_subscription_lines").filter(pl.col("unit") == "api_calls")
    for case in _named(world, "quota"):
        limit = float(lines.filter(pl.col("account_id") == case.account_id)["quantity"][0])
        month = meters.filter(
            (pl.col("account_id") == case.account_id)
            & (pl.col("used_on") >= case.expected_from.replace(day=1).isoformat())
        )
        used = [
            month.filter(pl.col("used_on") <= day.isoformat())["quantity"].sum()
            for day in (case.expected_from - DAY, case.expected_from)
        ]
        assert used[0] < 0.9 * limit <= used[1]


def test_no_meter_without_a_case_passes_three_quarters(world: World, read_landing: ReadLanding) -> None:
    carried = {case.account_id for case in world.cases if case.sub_trigger == "quota"}
    meters = read_landing(world.directory, "product_metered_usage").with_columns(
        pl.col("quantity").cast(pl.Float64), pl.col("used_on").str.slice(0, 7).alias("month")
    )
    lines = read_landing(world.directory, "billing_subscription_lines").filter(pl.col("unit") == "api_calls")
    limits = lines.unique("account_id").select(
        "account_id", pl.col("quantity").cast(pl.Float64).alias("limit")
    )
    months = (
        meters.group_by("account_id", "month").agg(pl.col("quantity").sum()).join(limits, on="account_id")
    )
    ordinary = months.filter(~pl.col("account_id").is_in(carried))
    assert (ordinary["quantity"] <= 0.75 * ordinary["limit"]).all()


def test_ordinary_accounts_stay_within_two_thirds_of_their_seats(
    world: World, employee_usage: pl.DataFrame, seat_lines: pl.DataFrame
) -> None:
    carried = {case.account_id for case in world.cases if case.trigger in ("USAGE_MILESTONE", "CROSS_TEAM")}
    first = seat_lines.unique("account_id", keep="first").select(
        "account_id", pl.col("quantity").cast(pl.Float64)
    )
    for end in ("2025-10-15", "2026-01-31", "2026-05-31"):
        day = date.fromisoformat(end)
        window = employee_usage.filter(
            pl.col("used_on").is_between(pl.lit((day - 27 * DAY).isoformat()), pl.lit(end))
        )
        users = window.group_by("account_id").agg(pl.col("user_id").n_unique()).join(first, on="account_id")
        assert (
            users.filter(~pl.col("account_id").is_in(carried)).select(pl.col("user_id") / pl.col("quantity"))
            <= 0.66
        )["user_id"].all()


@pytest.mark.parametrize(("needed", "segments"), [(5, {"enterprise"}), (3, {"smb", "mid_market"})])
def test_cross_team_groups_reach_their_size_on_the_expected_day(
    world: World, employee_usage: pl.DataFrame, needed: int, segments: set[str], read_landing: ReadLanding
) -> None:
    accounts = read_landing(world.directory, "crm_accounts").unique("account_id")
    chosen = set(accounts.filter(pl.col("segment").is_in(segments))["account_id"])
    emails = read_landing(world.directory, "product_users").unique("user_id").select("user_id", "email")
    people = (
        read_landing(world.directory, "identity_directory").unique("subject_id").select("email", "department")
    )
    usage = employee_usage.join(emails, on="user_id").join(people, on="email")
    for case in _named(world, "cross-department", "cross-domain"):
        if case.account_id not in chosen:
            continue
        kind, _, group = str(case.subject_key).partition(":")
        member = (
            pl.col("department") == group
            if kind == "department"
            else pl.col("email").str.ends_with(f"@{group}")
        )
        own = usage.filter((pl.col("account_id") == case.account_id) & member).unique(["user_id", "used_on"])
        sizes = []
        for day in (case.expected_from - DAY, case.expected_from):
            recent = own.filter(
                pl.col("used_on").is_between(pl.lit((day - 13 * DAY).isoformat()), pl.lit(day.isoformat()))
            )
            sizes.append(recent.group_by("user_id").len().filter(pl.col("len") >= 2).height)
        assert sizes == [needed - 1, needed], case


def test_one_executive_is_told_by_two_sources(world: World, read_landing: ReadLanding) -> None:
    alerts = set(read_landing(world.directory, "people_job_alerts")["person_email"])
    pushed = read_landing(world.directory, "crm_contact_role_changes").filter(pl.col("move") == "joined")
    assert len(alerts & set(pushed["email"])) == 1


def test_outage_tickets_come_from_a_tenth_of_the_book_on_one_day(
    world: World, read_landing: ReadLanding
) -> None:
    tickets = read_landing(world.directory, "support_tickets").filter(pl.col("topic") == "outage")
    assert tickets["created_at"].str.slice(0, 10).n_unique() == 1
    assert tickets["account_id"].n_unique() >= 6


def test_no_ordinary_day_looks_like_an_outage(world: World, read_landing: ReadLanding) -> None:
    tickets = read_landing(world.directory, "support_tickets").filter(pl.col("topic") != "outage")
    days = tickets.group_by("topic", pl.col("created_at").str.slice(0, 10)).agg(
        pl.col("ticket_id").n_unique()
    )
    assert days["ticket_id"].max() < 5


def test_a_leaver_gives_the_seat_back(world: World, read_landing: ReadLanding) -> None:
    seats = read_landing(world.directory, "product_seat_assignments")
    released = seats.filter(pl.col("released_on").is_not_null())["assignment_id"].to_list()
    assert len(released) > 5
    assert seats.filter(pl.col("assignment_id").is_in(released)).height == 2 * len(released)


def test_cases_without_a_new_customer_stand_on_settled_accounts(world: World, read_landing: ReadLanding) -> None:
    accounts = read_landing(world.directory, "crm_accounts").unique("account_id")
    new = set(accounts.filter(pl.col("first_paid_on") >= world.first_day.isoformat())["account_id"])
    on_new = {case.case_id.rpartition("-")[0] for case in world.cases if case.account_id in new}
    assert on_new == {"grace-end", "grace-fallback", "first-days"}
