"""Control tables: the days of a run, the calendar and the plan lines, written before dbt reads them.

Belongs here: what dbt has to know of the clock and the catalogue. Does not belong here: facts about customers.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from expansion_assets import clock
from expansion_assets.catalogue.plays_loader import load_plans
from expansion_assets.store.warehouse import fetch_rows, replace_all
from expansion_assets.tables import CALENDAR, DAYS, PLAN_LINES, RUN_WINDOW
from expansion_assets.workspace import Workspace

# The longest look-back of a feature is a year (headcount growth); a month more covers business-day windows.
LOOK_BACK_DAYS = 400
# Accounts without a country: weekends only.
UNKNOWN_COUNTRY = "ZZ"
# Due dates lie ahead of today.
LOOK_AHEAD_DAYS = 60


def write_control(connection: duckdb.DuckDBPyConnection, workspace: Workspace, start: date, end: date) -> None:
    """Write the run's window and what follows from it.

    Args:
        connection: Warehouse connection; the tables exist.
        workspace: Days and time zone.
        start: First day of the run.
        end: Day after the last.
    """
    first, last = start - timedelta(days=LOOK_BACK_DAYS), end + timedelta(days=LOOK_AHEAD_DAYS)
    replace_all(connection, RUN_WINDOW, [{"window_start": start, "window_end": end}])
    days = (first + timedelta(days=number) for number in range((end - first).days))
    zone = workspace.settings.time_zone
    replace_all(connection, DAYS, [{"as_of_date": day, "known_before": clock.as_of_end(day, zone)} for day in days])
    calendar = [row for country in countries(connection) for row in clock.calendar_rows(country, first, last)]
    calendar += [{**row, "country": UNKNOWN_COUNTRY} for row in clock.calendar_rows(None, first, last)]
    replace_all(connection, CALENDAR, calendar)
    replace_all(connection, PLAN_LINES, load_plans().line_rows())


def countries(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Countries of customers and owners, whose holidays count."""
    query = """
        select distinct country from raw.crm_accounts where country is not null
        union select distinct country from raw.crm_owners where country is not null
        order by country
    """
    return [row["country"] for row in fetch_rows(connection, query)]
