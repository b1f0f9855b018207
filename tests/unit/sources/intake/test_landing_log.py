"""What was reported as stored is on disk exactly once, whatever happens to the process, the disk or the file."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.intake import IntakeError
from expansion_assets.sources.intake.arrivals import Arrivals
from expansion_assets.sources.intake.events import parse_events
from expansion_assets.sources.intake.landing_log import LandingLog, Receipt
from expansion_assets.sources.intake.locks import appends_paused, one_listener
from expansion_assets.sources.load import load_table
from expansion_assets.sources.mapping import own_mapping
from expansion_assets.sources.report import Window
from expansion_assets.sources.versions import create_raw_tables
from tests.unit.sources.intake.intake_requests import NOON, alert, as_json, landed

FILE = "people/job_alerts_intake_2025-07-03.jsonl"


def events(feed, *found):
    return parse_events(as_json(list(found)), feed, is_lines=False)


def store(log, feed, *found):
    [outcome] = log.commit([(feed, events(feed, *found))])
    return outcome


def load(folder: Path, connection: duckdb.DuckDBPyConnection, table: str = "people_job_alerts"):
    contracts = load_contracts()
    window = Window(date(2025, 7, 3), date(2025, 7, 4), datetime(2025, 7, 3), datetime(2025, 7, 4))
    mapping = own_mapping(contracts, date(2025, 7, 1), None).tables[table]
    return load_table(connection, contracts[table], mapping, folder, window, datetime(2025, 7, 4))


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        opened.execute("set timezone = 'UTC'")
        create_raw_tables(opened, load_contracts())
        yield opened


def test_an_event_is_stored_once_within_a_request_across_requests_and_after_a_restart(open_log, alerts, tmp_path):
    log = open_log()
    assert store(log, alerts, alert(1), alert(2), alert(1)) == Receipt(2, 1)
    same_commit = log.commit([(alerts, events(alerts, alert(3))), (alerts, events(alerts, alert(3), alert(2)))])
    assert same_commit == [Receipt(1, 0), Receipt(0, 2)]
    log.close()
    assert store(open_log(), alerts, alert(1), alert(2), alert(3), alert(4)) == Receipt(1, 3)
    assert [row["alert_id"] for row in landed(tmp_path)] == ["J1", "J2", "J3", "J4"]


def test_a_correction_is_not_a_duplicate_and_comes_to_be_known_later(open_log, alerts, tmp_path, connection):
    assert store(open_log(), alerts, alert(1, to_title="VP"), alert(1, to_title="CFO")) == Receipt(2, 0)
    load(tmp_path, connection)
    query = "select to_title, known_from, known_to from raw.people_job_alerts order by version_no"
    noon = NOON.replace(tzinfo=None)
    tick = noon + timedelta(microseconds=1)
    assert connection.execute(query).fetchall() == [("VP", noon, tick), ("CFO", tick, None)]


def test_the_same_content_in_another_table_is_another_event(open_log, feeds, tmp_path):
    log = open_log()
    assert log.commit([(feed, [b"{}"]) for feed in feeds]) == [Receipt(1, 0), Receipt(1, 0)]
    assert [path.name for path in sorted(tmp_path.rglob("*.jsonl"))] == [
        "contact_role_changes_intake_2025-07-03.jsonl", "job_alerts_intake_2025-07-03.jsonl"]
    assert log.commit([(feed, [b"{}"]) for feed in feeds]) == [Receipt(0, 1), Receipt(0, 1)]
    log.close()
    assert open_log().commit([(feeds[0], [b"{}"])]) == [Receipt(0, 1)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.data())
def test_a_kill_at_any_byte_leaves_whole_lines_and_a_resend_completes_them(tmp_path_factory, feeds, alerts, data):
    folder = tmp_path_factory.mktemp("kill")

    def opened():
        log = LandingLog(folder, feeds, Arrivals("UTC", now=lambda: NOON))
        log.recover()
        return log

    sent = [alert(number, person_name="Ännchen\u2028 de la Peña") for number in range(6)]
    log = opened()
    store(log, alerts, *sent[:3])
    acknowledged = (folder / FILE).stat().st_size
    store(log, alerts, *sent[3:])
    log.close()
    whole = (folder / FILE).read_bytes()
    cut = data.draw(st.integers(acknowledged, len(whole)))
    zeros = data.draw(st.sampled_from([0, 1, 5000]))
    (folder / FILE).write_bytes(whole[:cut] + b"\0" * zeros)
    log = opened()
    assert (folder / FILE).read_bytes() == whole[: whole.rfind(b"\n", 0, cut) + 1]
    outcome = store(log, alerts, *sent)
    assert outcome.accepted + outcome.duplicates == 6
    assert [row["alert_id"] for row in landed(folder)] == [f"J{number}" for number in range(6)]
    stamps = [row["loaded_at"] for row in landed(folder)]
    assert stamps == sorted(set(stamps))


class Disk:
    """An fsync that fails on order."""

    def __init__(self) -> None:
        self.is_broken = False

    def sync(self, descriptor: int) -> None:
        if self.is_broken:
            raise OSError(5, "Input/output error")
        os.fsync(descriptor)


def test_what_the_disk_refused_is_not_there_and_can_be_sent_again(open_log, feeds, alerts, tmp_path):
    disk = Disk()
    log = open_log(sync=disk.sync)
    store(log, alerts, alert(1))
    before = (tmp_path / FILE).read_bytes()
    disk.is_broken = True
    outcomes = log.commit([(alerts, events(alerts, alert(2))), (alerts, events(alerts, alert(2), alert(1)))])
    assert all(isinstance(outcome, OSError) for outcome in outcomes)
    assert (tmp_path / FILE).read_bytes() == before
    disk.is_broken = False
    assert store(log, alerts, alert(2), alert(1)) == Receipt(1, 1)
    assert [row["alert_id"] for row in landed(tmp_path)] == ["J1", "J2"]


def test_what_could_not_even_be_cut_back_is_cut_before_the_next_append(open_log, alerts, tmp_path, monkeypatch):
    disk = Disk()
    log = open_log(sync=disk.sync)
    store(log, alerts, alert(1))
    disk.is_broken = True
    with monkeypatch.context() as patch:
        patch.setattr(os, "truncate", lambda *_: disk.sync(0))
        assert isinstance(store(log, alerts, alert(2)), OSError)
        assert len(landed(tmp_path)) == 2
        assert isinstance(store(log, alerts, alert(3)), OSError)
    disk.is_broken = False
    assert store(log, alerts, alert(2)) == Receipt(1, 0)
    assert [row["alert_id"] for row in landed(tmp_path)] == ["J1", "J2"]


def test_a_file_that_was_rewritten_or_removed_loses_no_later_event(open_log, alerts, tmp_path):
    log = open_log()
    store(log, alerts, alert(1, person_email="ann@acme.example"), alert(2))
    with appends_paused(tmp_path):
        kept = [line for line in (tmp_path / FILE).read_bytes().splitlines(True) if b"ann@" not in line]
        (tmp_path / "new").write_bytes(b"".join(kept))
        (tmp_path / "new").replace(tmp_path / FILE)
    store(log, alerts, alert(3))
    assert [row["alert_id"] for row in landed(tmp_path)] == ["J2", "J3"]
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).parent.rmdir()
    store(log, alerts, alert(4))
    assert [row["alert_id"] for row in landed(tmp_path)] == ["J4"]


def test_lines_written_anew_in_other_spacing_are_still_known(open_log, alerts, tmp_path):
    log = open_log()
    store(log, alerts, alert(1), {"alertId": 7})
    log.close()
    rows = landed(tmp_path)
    by_hand = '# a note\n{"loaded_at": "2025-02-31T00:00:00.000000Z"}\n'
    (tmp_path / FILE).write_text("".join(json.dumps(row) + "\n" for row in rows) + by_hand, encoding="utf-8")
    log = open_log()
    assert store(log, alerts, alert(1), {"alertId": 7}, alert(2)) == Receipt(1, 2)
    assert (tmp_path / FILE).read_text(encoding="utf-8").count("# a note\n") == 1


def test_while_somebody_holds_the_pause_nothing_is_appended_and_nobody_is_told_otherwise(
    open_log, alerts, tmp_path, monkeypatch
):
    monkeypatch.setattr("expansion_assets.sources.intake.landing_log.appends_paused",
                        lambda folder: appends_paused(folder, wait_s=0.02))
    log = open_log()
    with appends_paused(tmp_path):
        assert isinstance(store(log, alerts, alert(1)), TimeoutError)
    assert landed(tmp_path) == []
    assert store(log, alerts, alert(1)) == Receipt(1, 0)


def test_a_folder_has_one_listener(tmp_path):
    with one_listener(tmp_path), pytest.raises(IntakeError, match="another listener"), one_listener(tmp_path):
        pass
    with one_listener(tmp_path):
        pass


def test_memory_is_bounded_to_the_newest_events_before_and_after_a_restart(open_log, feeds, alerts):
    present = [NOON]
    log = open_log(now=lambda: present[0], seen_limit=4)
    for number in range(6):
        store(log, alerts, alert(number))
        present[0] += timedelta(days=1)
    for _ in range(2):
        known = [store(log, alerts, alert(number)).duplicates for number in (5, 4, 3, 2)]
        assert known == [1, 1, 1, 1]
        log.close()
        log = open_log(now=lambda: present[0], seen_limit=4)
    assert store(log, alerts, alert(1)) == Receipt(1, 0)


def test_an_event_goes_to_the_file_of_its_day_and_the_day_in_which_it_became_known(feeds, alerts, tmp_path):
    present = [NOON.replace(hour=21, minute=59)]
    log = LandingLog(tmp_path, feeds, Arrivals("Europe/Berlin", now=lambda: present[0]))
    store(log, alerts, alert(1))
    present[0] += timedelta(minutes=2)
    store(log, alerts, alert(2))
    found = {path.stem[-10:]: path.read_text().count("\n") for path in (tmp_path / "people").iterdir()}
    assert found == {"2025-07-03": 1, "2025-07-04": 1}


MEMBERS = st.sampled_from(["alert_id", "Alert_ID", "row_number", 'qu"ote', "back\\slash", "loaded_at", "other_members"])
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just({"deep": ['"', None]})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.dictionaries(MEMBERS | st.text(max_size=8), VALUES, max_size=5), max_size=8))
def test_no_event_costs_its_neighbours_their_place_in_the_raw_layer(tmp_path_factory, feeds, alerts, strange):
    folder = tmp_path_factory.mktemp("strange")
    log = LandingLog(folder, feeds, Arrivals("UTC", now=lambda: NOON))
    outcome = store(log, alerts, alert(1), *strange, alert(2))
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        create_raw_tables(connection, load_contracts())
        report = load(folder, connection)
        good = connection.execute("select alert_id from raw.people_job_alerts where alert_id in ('J1', 'J2')")
        assert len(good.fetchall()) == 2
    assert report.rows_in == outcome.accepted
    assert "unreadable_file" not in report.rules


def test_a_line_met_while_it_was_written_is_loaded_by_the_next_run(open_log, alerts, tmp_path, connection):
    log = open_log()
    store(log, alerts, alert(1), alert(2))
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-40])
    torn = load(tmp_path, connection)
    assert (torn.rows_loaded, torn.rows_quarantined) == (1, 1)
    (tmp_path / FILE).write_bytes(whole)
    mended = load(tmp_path, connection)
    assert (mended.rows_loaded, mended.rows_quarantined) == (2, 0)
    assert connection.execute("select rule from raw.quarantine where resolved_at is null").fetchall() == []
