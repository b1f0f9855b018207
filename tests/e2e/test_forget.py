"""A person in every source is forgotten: no trace is left, facts of the account stay, and nothing brings them back."""

from __future__ import annotations

import csv
import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from forgotten_person import (
    ALERT_BY_NAME,
    CONTACT,
    MONTH,
    NAME,
    USER,
    account_of,
    add_json,
    address_of,
    contact_row,
    plant,
    ticket_row,
    traces,
)

from expansion_assets.tagging.kept import MODEL_SUFFIX
from expansion_assets.tagging.labelled import LabelledText, read_labelled, write_labelled
from expansion_assets.tagging.schema import LABELS
from expansion_assets.tagging.tagger import REVIEWED_TEXTS

SMALL: dict[str, Any] = {"world_accounts": 16, "world_months": 3}
LAST_DAY = "2026-06-30"
KILLER = Path(__file__).with_name("forget_killed.py")
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, command: Command) -> Path:
    """State folder of a small world that knows the person."""
    state = tmp_path_factory.mktemp("known")
    command(state, "world", **SMALL)
    plant(state / "landing")
    command(state, "backfill", **SMALL)
    (state / "restate.txt").write_text(command(state, "restate", **SMALL).stdout)
    # What other programs leave: a page of an older day, an export, a binary cache, run output.
    day = state / "published" / LAST_DAY
    (day / "note.html").write_text(f"<p>{NAME} &lt;{address_of(state / 'landing')}&gt;</p>")
    (state / "dbt_target" / "cache.msgpack").write_bytes(b"\xff\x81" + address_of(state / "landing").encode())
    return state


@pytest.fixture(scope="module")
def forgotten(known: Path, tmp_path_factory: pytest.TempPathFactory, command: Command) -> Path:
    """The same after the purge."""
    state = tmp_path_factory.mktemp("forgotten") / "state"
    shutil.copytree(known, state)
    learned = state / "tagger" / REVIEWED_TEXTS
    learned.parent.mkdir()
    said = f"Ask {NAME}. {NAME} keeps the rota in Excel."
    line = {"id": "nps:1#0", "kind": "nps", "text": said, **dict.fromkeys(LABELS, False), "adjacent_use": True,
            "evidence": {"adjacent_use": f"{NAME} keeps the rota in Excel."}}
    write_labelled(learned, [LabelledText.model_validate(line)])
    learned.with_suffix(MODEL_SUFFIX).write_bytes(b"\x80 trained on it")
    finished = command(state, "forget", address_of(state / "landing").upper(), **SMALL)
    assert "places cleaned" in finished.stdout
    learned.parent.rename(state.parent / "tagger")  # later runs of these tests go by our own lines
    return state


def rows(state: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(state / "warehouse" / "expansion.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_traces_are_there_before(known: Path) -> None:
    places = " ".join(traces(known))
    for expected in (
        "crm/contacts_", "feedback/nps_extra_2026-06.csv.gz (gzip)", "identity/logins_2026-06.parquet (Parquet)",
        "job_alerts_", "expansion.duckdb (raw.crm_contacts.email)", "(raw.quarantine.raw_json)",
        "(features.texts.body)", "(identity.addresses.address)", "(identity.names.name)", "note.html", "cache.msgpack",
        "restated/warehouse/expansion.duckdb (raw.crm_contacts.email)",
    ):
        assert expected in places


def test_a_restatement_marks_its_firings_and_leaves_the_live_ones_alone(known: Path) -> None:
    restated = known / "restated"
    log = "select is_restated, count(*) filter (where event_type = 'opened') from triggers.firing_events group by all"
    [(is_live_restated, _)], [(is_restated, opened)] = rows(known, log), rows(restated, log)
    assert (is_live_restated, is_restated) == (False, True)
    late = "select count(*) from raw.product_usage where known_from > happened_at"
    assert rows(known, late) > [(0,)] == rows(restated, late)
    printed = (known / "restate.txt").read_text()
    unchanged = int(printed.split(" firings stand as they were")[0].split()[-1])
    with (restated / "differences.csv").open(newline="") as handle:
        changes = [row["change"] for row in csv.DictReader(handle)]
    assert "product_usage: " in printed
    assert unchanged + sum(change != "only_known_then" for change in changes) == opened > 0


def test_no_trace_is_left(forgotten: Path) -> None:
    assert traces(forgotten) == {}


def test_what_the_tagger_has_learned_names_nobody(forgotten: Path) -> None:
    learned = forgotten.parent / "tagger"
    assert [path.name for path in learned.iterdir()] == [REVIEWED_TEXTS]  # the model had read the name
    (line,) = read_labelled(learned / REVIEWED_TEXTS)
    assert NAME not in line.text and "keeps the rota in Excel." in line.evidence["adjacent_use"]


def test_rows_of_the_person_go(forgotten: Path) -> None:
    for table, column, value in (
        ("crm_contacts", "contact_id", CONTACT), ("product_users", "user_id", USER),
        ("product_seat_assignments", "assignment_id", "SEAT-9999"),
    ):
        assert rows(forgotten, f"select count(*) from raw.{table} where {column} = '{value}'") == [(0,)]
    assert rows(forgotten, "select count(*) from raw.identity_logins where login_id like 'LOG-9999%'") == [(0,)]
    assert USER not in str(rows(forgotten, "select distinct user_id from raw.product_usage"))


def test_events_of_the_account_stay(known: Path, forgotten: Path) -> None:
    [(email, move, function, title)] = rows(
        forgotten,
        "select email, move, function, to_title from raw.crm_contact_role_changes where change_id = 'CHG-9999-0001'",
    )
    assert email.startswith("forgotten-") and (move, function, title) == ("joined", "finance", "Chief finance")
    assert rows(
        forgotten, f"select person_name, move from raw.people_job_alerts where alert_id = '{ALERT_BY_NAME}'"
    ) == [(None, "joined")]
    counts = "select count(*) from raw.product_usage union all select count(*) from features.texts"
    assert rows(forgotten, counts) == rows(known, counts)
    firings = "select event_id, firing_id, subject_key from triggers.firing_events order by all"
    assert rows(forgotten, firings) == rows(known, firings)


def test_quotes_still_stand_in_their_texts(forgotten: Path) -> None:
    assert rows(
        forgotten,
        """
        select count(*) from text.tags inner join features.texts using (text_id)
        where is_quote_found and (
            quote <> substr(body, quote_start::bigint + 1, (quote_end - quote_start)::bigint)
            or tags.content_hash <> texts.content_hash)
        """,
    ) == [(0,)]


def test_the_list_names_nobody_and_is_the_owners(forgotten: Path) -> None:
    path = forgotten / "suppression.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not {"wilhelmina", "quistgaard", CONTACT.lower(), USER.lower()} & set(path.read_text().lower().split('"'))


def test_a_second_purge_finds_nothing(forgotten: Path, command: Command) -> None:
    landing = {path: path.read_bytes() for path in (forgotten / "landing").rglob("*") if path.is_file()}
    assert "no trace was found" in command(forgotten, "forget", **SMALL).stdout
    assert landing == {path: path.read_bytes() for path in (forgotten / "landing").rglob("*") if path.is_file()}


def test_a_run_that_goes_on_is_not_disturbed(known: Path, command: Command) -> None:
    before = (known / "warehouse" / "expansion.duckdb").read_bytes()
    with (known / "warehouse" / "expansion.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        finished = command(known, "forget", address_of(known / "landing"), check=False, **SMALL)
    assert finished.returncode == 1
    assert finished.stderr.startswith("error: a run holds") and finished.stderr.count("\n") == 1
    assert (known / "warehouse" / "expansion.duckdb").read_bytes() == before
    assert not (known / "suppression.jsonl").exists()


def test_a_dry_run_writes_nothing(known: Path, command: Command) -> None:
    before = {path: path.stat().st_mtime_ns for path in (known / "landing").rglob("*") if path.is_file()}
    finished = command(known, "forget", "--dry-run", address_of(known / "landing"), **SMALL)
    assert "dry run: nothing was written" in finished.stdout
    assert before == {path: path.stat().st_mtime_ns for path in (known / "landing").rglob("*") if path.is_file()}
    assert not (known / "suppression.jsonl").exists() and traces(known)


@pytest.mark.parametrize("replacements", [1, 8, 15])
def test_a_killed_purge_is_finished_by_the_next(
    known: Path, tmp_path: Path, command: Command, replacements: int
) -> None:
    """Killed before a file is put in place: after the list, among the landing files, at the warehouse."""
    state = tmp_path / "state"
    shutil.copytree(known, state)
    address = address_of(state / "landing")
    killed = command(
        state, "forget", address, script=KILLER, check=False, killed_at=replacements, **SMALL
    )
    assert killed.returncode == -9
    again = [address] if replacements == 1 else []  # once the list is written, nobody needs to say the address again
    command(state, "forget", *again, **SMALL)
    assert traces(state) == {}


def test_a_new_snapshot_does_not_bring_the_person_back(
    forgotten: Path, tmp_path: Path, command: Command
) -> None:
    state = tmp_path / "state"
    shutil.copytree(forgotten, state)
    landing = state / "landing"
    late = {"loaded_at": f"{LAST_DAY}T05:00:00Z"}
    address = address_of(landing)
    add_json(landing, "crm/contacts", contact_row(landing, **late))
    add_json(landing, "crm/contacts", contact_row(landing, contact_id="CON-9999-0002", name="W. Q.", **late))
    add_json(landing, "support/tickets", ticket_row(landing, "TIC-9999-0003", **late))
    feed = landing / f"people/job_alerts_{LAST_DAY}.jsonl"  # as the webhook listener writes it
    feed.write_text(json.dumps({
        "account_domain": account_of(landing)["domain"], "alert_id": "JOB-9999-0003", "happened_on": LAST_DAY,
        "move": "left", "person_email": address, "person_name": NAME, "loaded_at": f"{LAST_DAY}T06:00:00.000000Z",
    }) + "\n")
    command(state, "run", "--date", LAST_DAY, **SMALL)
    left = [place for place in traces(state) if not place.startswith("landing/")]
    assert left == []
    assert rows(state, "select count(*) from raw.crm_contacts where contact_id like 'CON-9999%'") == [(0,)]
    quarantined = rows(
        state, "select file, raw_json from raw.quarantine where rule = 'suppressed_person' order by row_number"
    )
    assert quarantined == [(f"contacts_{MONTH}.jsonl", None)] * 2
    [(rows_in, loaded, set_aside, message)] = rows(
        state,
        "select rows_in, rows_loaded, rows_quarantined, message from raw.landing_status"
        f" where source_table = 'crm_contacts' and window_start = '{LAST_DAY}'",
    )
    assert rows_in == loaded + set_aside and "2 rows of forgotten people" in message
    assert rows(
        state, "select person_name, left(person_email, 10) from raw.people_job_alerts where alert_id = 'JOB-9999-0003'"
    ) == [(None, "forgotten-")]
    command(state, "forget", **SMALL)
    assert traces(state) == {}


def test_a_backfill_after_the_purge_gives_the_account_its_firings(
    known: Path, forgotten: Path, tmp_path: Path, command: Command
) -> None:
    state = tmp_path / "state"
    shutil.copytree(forgotten, state)
    (state / "warehouse" / "expansion.duckdb").unlink()
    command(state, "backfill", **SMALL)
    firings = "select firing_id, sub_trigger, subject_key from triggers.firing_events order by all"
    before, after = set(rows(known, firings)), set(rows(state, firings))
    account_id = account_of(state / "landing")["account_id"]
    executives = "select 1 from triggers.firing_events where sub_trigger = 'new_executive'"
    assert before == after and rows(state, f"{executives} and account_id = '{account_id}'")
    assert traces(state) == {}


def test_the_card_stays_and_names_nobody(known: Path) -> None:
    """No consent is on record for the person: the digest tells of a function."""
    digest = (known / "published" / LAST_DAY / "digest.html").read_text()
    account = digest[digest.index(f'id="{account_of(known / "landing")["account_id"]}"') :].partition("</article>")[0]
    assert "Somebody in finance; person hidden" in account and "Chief Financial Officer" not in account
    assert NAME not in digest and "wilhelmina" not in digest.lower()


def test_an_unknown_address_is_kept_out_all_the_same(known: Path, tmp_path: Path, command: Command) -> None:
    shutil.copytree(known / "landing", tmp_path / "landing")
    finished = command(tmp_path, "forget", "nobody@nowhere.example", **SMALL)
    assert "no trace was found; the address is kept from coming in" in finished.stdout
    refused = command(tmp_path, "forget", "not an address", check=False, **SMALL)
    assert refused.returncode == 1 and refused.stderr == "error: 'not an address' is not an e-mail address\n"
