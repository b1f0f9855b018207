"""Due texts, names, batches and money in a warehouse, read by the real client over loopback."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from llm_server import KEY
from text_warehouse import DAY, NEXT, PRICE, add, prepare, statuses

from expansion_assets.scan.text_reading import reading_line
from expansion_assets.store.agreement import NothingToCompareError, agreement_report
from expansion_assets.store.reading_costs import costs_report, reading_summary, unproven_by_tagger
from expansion_assets.store.texts import (
    adopt_readings,
    due_texts,
    read_due_texts,
    spent_in_month,
    unread_languages,
    with_names,
)
from expansion_assets.store.warehouse import connect, fetch_rows
from expansion_assets.tagging.llm.client import Endpoint, LlmClient, LlmUnavailableError
from expansion_assets.tagging.llm.reader import LlmReader, Way
from expansion_assets.tagging.llm.tagger import LlmTagger
from expansion_assets.tagging.schema import MOST_ATTEMPTS, Tag
from expansion_assets.tagging.tagger import PlainReader


class Plain:
    """A tagger that tags every text with its first word."""

    version = "plain-1"

    def tag(self, texts):
        return [
            Tag(f"{text.text_id}-plain", text.text_id, text.content_hash, self.version, "advanced_intent", None, None,
                0.8, "affirmed", "declared", text.body.split()[0], 0, len(text.body.split()[0]), True)
            for text in texts
        ]


@pytest.fixture
def reader(server):
    def build(ceiling=None, stand_in=None, model="m", cheaper=None, is_empty=None, price=PRICE, batch_texts=4):
        client = LlmClient(Endpoint(server.url, http_retries=0), KEY)
        clients.append(client)
        ways = [Way("normal", LlmTagger(client, model, price, batch_texts=batch_texts, in_flight=2))]
        if cheaper:
            ways.append(Way("cheaper_model", LlmTagger(client, "mini", cheaper, batch_texts=batch_texts)))
        return LlmReader(ways, stand_in, is_empty, ceiling)

    clients: list[LlmClient] = []
    yield build
    for client in clients:
        client.close()


def test_what_was_read_is_not_sent_again(warehouse, server, reader):
    add(warehouse, 6)
    report = read_due_texts(warehouse, reader(), DAY, NEXT)
    assert report.as_metadata() == {
        "tagger": reader().version, "texts_read": 6, "tags": 6, "paid_answers": 2, "unproven_tags": 0, "cost": 0.0004
    }
    add(warehouse, 2, first=6)
    warehouse.execute("update features.texts set content_hash = 'changed' where text_id = 'tickets:0'")
    read_due_texts(warehouse, reader(), DAY, NEXT)
    assert len(server.texts_sent) == len(set(server.texts_sent)) == 9, "six, two new ones, one that changed"
    assert read_due_texts(warehouse, reader(), DAY, NEXT).is_empty
    # Only the text's own days are due: another day's texts wait for its run.
    add(warehouse, 1, day=NEXT, first=50)
    assert due_texts(warehouse, reader().version, DAY, NEXT) == []


def test_another_warehouse_takes_over_what_was_read(tmp_path, warehouse, server, reader):
    add(warehouse, 3)
    used = reader()
    read_due_texts(warehouse, used, DAY, NEXT)
    with connect(tmp_path / "other.duckdb") as other:
        prepare(other)
        add(other, 5)
        warehouse.execute(f"attach '{tmp_path / 'copy.duckdb'}' as copy")
        warehouse.execute("create schema copy.text")
        for table in ("readings", "tags"):
            warehouse.execute(f"create table copy.text.{table} as select * from text.{table}")
        warehouse.execute("detach copy")
        other.execute(f"attach '{tmp_path / 'copy.duckdb'}' as live")
        adopt_readings(other, "live")
        stand_in = PlainReader(Plain(), stands_in_for=used.version)
        report = read_due_texts(other, stand_in, DAY, NEXT)
        assert report.statuses == {"read": 2}, "three were read before"
        assert statuses(other) == {("m", "read"): 3, ("plain-1", "read"): 2}
        ((tags,),) = other.execute("select count(distinct text_id) from text.tags").fetchall()
        assert tags == 5
    assert len(server.texts_sent) == 3


def test_another_model_reads_again_side_by_side(warehouse, server, reader):
    add(warehouse, 3)
    read_due_texts(warehouse, PlainReader(Plain()), DAY, NEXT)
    read_due_texts(warehouse, reader(), DAY, NEXT)
    read_due_texts(warehouse, reader(model="other"), DAY, NEXT)
    assert statuses(warehouse) == {("plain-1", "read"): 3, ("m", "read"): 3, ("other", "read"): 3}
    assert warehouse.execute("select count(*), count(distinct tagger_version) from text.tags").fetchall()[0] == (9, 3)


def test_tags_are_stored_with_quotes_that_stand_in_the_stored_text(warehouse, server, reader):
    warehouse.execute("insert into raw.crm_contacts values ('A1', 'Jane Miller', null)")
    add(warehouse, 1, body="Jane Miller (jane@acme.io) says: we’d love an\nAPI, call 415-555-2671 about it")
    read_due_texts(warehouse, reader(), DAY, NEXT)
    (sent,) = server.arrived[0].texts
    assert sent["text"] == "[PERSON_1] ([EMAIL_1]) says: we’d love an\nAPI, call [PHONE_1] about it 0."
    (row,) = fetch_rows(warehouse, """
        select quote, substring(body, quote_start + 1, quote_end - quote_start) as slice, is_quote_found
        from text.tags inner join features.texts using (text_id)
    """)
    assert row == {"quote": "API, call 415-555-2671 about it 0", "slice": row["quote"], "is_quote_found": True}


def test_no_identifier_of_a_person_leaves(warehouse, server, reader):
    warehouse.execute("insert into raw.crm_contacts values ('A1', 'Jane Miller', 'j.miller@acme.io')")
    warehouse.execute("insert into raw.product_users values ('A1', null, 'priya.raman@acme.io')")
    warehouse.execute("insert into raw.crm_contacts values ('A2', 'Bob Hope', null)")
    warehouse.execute("insert into raw.crm_owners values ('Olga Owner', 'olga@vendor.example', timestamp '2026-01-01')")
    warehouse.execute("insert into raw.crm_accounts values ('A1', 'acme.io')")
    warehouse.execute("insert into raw.people_job_alerts values ('ACME.io', 'Karl Mover', null)")
    warehouse.execute("insert into identity.addresses (address, person_key) values ('wendy.writer@web.example', 'p9')")
    add(warehouse, 1, body="Jane, Priya, Karl Mover and Olga (4111 1111 1111 1111) met Wendy; Bob too. API")
    warehouse.execute("update features.texts set requester_key = 'p9'")
    (item,) = due_texts(warehouse, "v", DAY, NEXT)
    assert with_names(warehouse, [item])[0].names == (
        "Jane Miller", "Karl Mover", "Olga Owner", "j miller", "olga", "priya raman", "wendy writer"
    )
    read_due_texts(warehouse, reader(), DAY, NEXT)
    assert server.arrived[0].texts[0]["text"] == (
        "[PERSON_1], [PERSON_2], [PERSON_3] and [PERSON_4] ([CARD_1]) met [PERSON_5]; Bob too. API 0."
    )


def test_who_speaks_for_the_vendor_is_known_as_of_the_text(warehouse):
    add(warehouse, 1)
    add(warehouse, 1, day=NEXT, first=1)
    warehouse.execute(
        "insert into raw.crm_owners values ('Olga Owner', null, $1), (null, 'new.here@vendor.example', $2)", [DAY, NEXT]
    )
    due = due_texts(warehouse, "plain-1", DAY, date(2026, 3, 4))
    assert [item.text.vendor_names for item in due] == [("Olga Owner",), ("Olga Owner", "new here")]


def test_texts_in_other_languages_are_counted(warehouse):
    add(warehouse, 2, body="Wir w\u00fcnschen uns eine Schnittstelle zu unserer Buchhaltung, bitte bald")
    add(warehouse, 1, body="We would love an interface to our ledger", first=2)
    read_due_texts(warehouse, PlainReader(Plain()), DAY, NEXT)
    assert unread_languages(warehouse, DAY) == {"de": 2}
    assert unread_languages(warehouse, DAY - timedelta(days=1)) == {}
    assert unread_languages(warehouse, DAY + timedelta(days=90)) == {}


def test_failed_texts_are_tried_by_later_runs_and_no_more_than_stated(warehouse, server, reader):
    add(warehouse, 2)
    server.always = "refuse"
    read_due_texts(warehouse, reader(), DAY, NEXT)
    assert warehouse.execute("select distinct status, reason, attempts from text.readings").fetchall() == [
        ("failed", "refused", 2)
    ]
    # The run of a later day takes them up, too; they go alone.
    later = date(2026, 3, 4)
    for _ in range(5):
        read_due_texts(warehouse, reader(), NEXT, later)
    assert warehouse.execute("select distinct status, attempts from text.readings").fetchall() == [
        ("failed", MOST_ATTEMPTS)
    ]
    assert [len(request.texts) for request in server.arrived] == [2] + [1] * 2 + [1] * 2 * (MOST_ATTEMPTS - 2)
    assert warehouse.execute("select count(*) from text.usage").fetchall()[0] == (len(server.arrived),)


def test_texts_in_the_queue_are_read_once_the_endpoint_is_back_and_said_to_be_late(warehouse, server, reader):
    add(warehouse, 4)
    server.always = "500"
    read_due_texts(warehouse, reader(), DAY, NEXT)
    assert statuses(warehouse) == {("m", "queued"): 4}
    server.always = "well"
    report = read_due_texts(warehouse, reader(), NEXT, date(2026, 3, 4))
    assert statuses(warehouse) == {("m", "read"): 4}
    assert report.late_from == DAY
    assert "backfill from 2026-03-02" in report.as_metadata()["late_texts"]
    # Known as of their own day, whenever they were read.
    assert warehouse.execute("select distinct known_on from text.tags").fetchall() == [(DAY,)]


def test_what_was_paid_before_a_stop_is_stored(warehouse, server, reader):
    add(warehouse, 12)
    server.will("well", "well", "401")
    with pytest.raises(LlmUnavailableError):
        read_due_texts(warehouse, reader(), DAY, NEXT)
    assert statuses(warehouse)[("m", "read")] == 8
    read_due_texts(warehouse, reader(), DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 12}


def test_the_ceiling_lets_another_stand_in_and_nothing_is_read_twice(warehouse, server, reader):
    add(warehouse, 8)
    plain = Plain()
    read_due_texts(warehouse, PlainReader(plain), DAY, NEXT)  # it was the default before
    spare = reader(ceiling=0.0, stand_in=lambda: plain)
    read_due_texts(warehouse, spare, DAY, NEXT)
    assert server.arrived == []
    rows = warehouse.execute("select distinct tagger_version, stands_in_for, status from text.readings").fetchall()
    assert rows == [("plain-1", spare.version, "read")]
    assert warehouse.execute("select count(*) from text.readings").fetchall()[0] == (8,)
    assert warehouse.execute("select count(*) from text.tags").fetchall()[0] == (8,)
    assert read_due_texts(warehouse, reader(), DAY, NEXT).is_empty
    decided = fetch_rows(warehouse, "select * exclude (decided_at, estimate, currency) from text.spending")
    assert decided == [{
        "step": "embedded", "texts": 8, "tagger_version": "plain-1", "ceiling": 0.0, "spent": 0.0, "first_day": DAY,
        "last_day": DAY, "wanted_version": spare.version,
    }]


def test_without_a_stand_in_the_rest_waits_for_next_month(warehouse, server, reader):
    add(warehouse, 8)
    read_due_texts(warehouse, reader(ceiling=0.0), DAY, NEXT)
    assert statuses(warehouse) == {("m", "queued"): 8}
    read_due_texts(warehouse, reader(ceiling=10.0), DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 8}


def test_the_cheaper_model_reads_in_the_others_stead(warehouse, server, reader):
    add(warehouse, 8)
    cheaper = PRICE.model_copy(update={"model": "mini", "tokens_in": 0.01, "tokens_out": 0.1})
    used = reader(ceiling=0.001, cheaper=cheaper)
    read_due_texts(warehouse, used, DAY, NEXT)
    assert {request.body["model"] for request in server.arrived} == {"mini"}
    assert statuses(warehouse) == {("mini", "read"): 8}
    assert warehouse.execute("select distinct stands_in_for from text.readings").fetchall() == [(used.version,)]
    assert read_due_texts(warehouse, reader(), DAY, NEXT).is_empty


def test_a_month_counts_its_own_days(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader(), DAY, NEXT)
    now = datetime.now(UTC).replace(tzinfo=None)
    assert spent_in_month(warehouse, now) == pytest.approx(0.0002)
    warehouse.execute("update text.usage set used_on = used_on - interval 40 day")
    assert spent_in_month(warehouse, now) == 0


def test_a_ceiling_needs_prices(reader):
    with pytest.raises(LlmUnavailableError, match=r"m has no price: add it to catalogue/prices\.yml"):
        reader(ceiling=1.0, price=None)
    with pytest.raises(LlmUnavailableError, match="two currencies"):
        reader(ceiling=1.0, cheaper=PRICE.model_copy(update={"currency": "EUR"}))


def test_costs_are_told_per_text_firing_and_accepted_card(warehouse, server, reader):
    assert reading_summary(warehouse, DAY) is None
    assert costs_report(warehouse) == "no language model was paid for anything"
    add(warehouse, 8)
    add(warehouse, 1, body="", first=8)
    server.will("invent")
    used = reader(ceiling=5.0, is_empty=lambda texts: [len(text.body) < 5 for text in texts])
    read_due_texts(warehouse, used, DAY, NEXT)
    tag_ids = [row["tag_id"] for row in fetch_rows(warehouse, "select tag_id from text.tags where is_quote_found")]
    # Two firings quote a paid text, one of them is on an accepted card; a third quotes nothing.
    for firing, tag_id in (("f1", tag_ids[0]), ("f1", tag_ids[1]), ("f2", tag_ids[2]), ("f3", None)):
        warehouse.execute("insert into triggers.evidence (firing_id, tag_id) values ($1, $2)", [firing, tag_id])
    warehouse.execute("insert into readiness.cards (card_id, firing_ids, as_of_date) values ('c1', 'f3|f1', $1)", [DAY])
    warehouse.execute("insert into readiness.card_reviews (card_id, event_type) values ('c1', 'accepted')")
    summary = reading_summary(warehouse, DAY)
    assert summary["texts"] == {"read": 8, "spared": 1}
    assert summary["spent"] == pytest.approx(0.0004)
    assert {name: found["count"] for name, found in summary["per"].items()} == {
        "texts": 8, "firings": 2, "accepted_cards": 1
    }
    assert summary["per"]["firings"]["cost"] == pytest.approx(0.0002)
    assert [(row["step"], row["texts"]) for row in summary["decisions"]] == [("normal", 8)]
    assert "Paid in" in reading_line(summary) and "of 5.00 USD" in reading_line(summary)
    report = " ".join(costs_report(warehouse).split())
    assert "m live 2 8 200 20 0.00040 USD" in report
    assert "per accepted card: 0.00040 USD (1)" in report
    assert reading_summary(warehouse, NEXT) is None


def test_one_answer_without_a_price_leaves_the_sum_unpriced(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader(), DAY, NEXT)
    add(warehouse, 4, first=4)
    read_due_texts(warehouse, reader(price=None), DAY, NEXT)
    summary = reading_summary(warehouse, DAY)
    assert (summary["spent"], summary["unpriced_answers"], summary["per"]["texts"]["cost"]) == (None, 1, None)
    assert "unpriced" in costs_report(warehouse)


def test_a_text_that_waited_is_counted_once_when_another_stands_in(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader(ceiling=0.0), DAY, NEXT)
    assert statuses(warehouse) == {("m", "queued"): 4}
    read_due_texts(warehouse, reader(ceiling=0.0, stand_in=Plain), DAY, NEXT)
    assert reading_summary(warehouse, DAY)["texts"] == {"read": 4}


def test_unproven_tags_are_counted_by_tagger(warehouse, server, reader):
    add(warehouse, 4, body="Nothing of note")
    server.will("invent")
    used = reader()
    report = read_due_texts(warehouse, used, DAY, NEXT)
    assert report.unproven == 4
    assert unproven_by_tagger(warehouse) == {used.version: {"tags": 4, "unproven": 4}}


def test_spared_texts_are_not_sent_and_not_looked_at_again(warehouse, server, reader):
    add(warehouse, 2)
    add(warehouse, 3, body="ok thanks", first=2)
    used = reader(is_empty=lambda texts: ["thanks" in text.body for text in texts])
    read_due_texts(warehouse, used, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 2, ("m", "spared"): 3}
    assert len(server.texts_sent) == 2
    assert read_due_texts(warehouse, used, DAY, NEXT).is_empty


RUN = """
import sys
from datetime import date
from pathlib import Path
from expansion_assets.scan.text_reading import reading_line
from expansion_assets.store.agreement import NothingToCompareError, agreement_report
from expansion_assets.store.reading_costs import costs_report, reading_summary, unproven_by_tagger
from expansion_assets.store.texts import read_due_texts
from expansion_assets.store.warehouse import connect
from expansion_assets.tagging.llm.client import Endpoint, LlmClient
from expansion_assets.tagging.llm.reader import LlmReader, Way
from expansion_assets.tagging.llm.tagger import LlmTagger
client = LlmClient(Endpoint(sys.argv[2]), sys.argv[3])
with connect(Path(sys.argv[1])) as connection:
    reader = LlmReader([Way("normal", LlmTagger(client, "m", batch_texts=50, in_flight=4))])
    read_due_texts(connection, reader, date(2026, 3, 2), date(2026, 3, 3))
"""


def test_a_killed_run_is_gone_on_with_and_pays_only_for_what_was_not_stored(tmp_path, server):
    path = tmp_path / "warehouse.duckdb"
    with connect(path) as connection:
        prepare(connection)
        add(connection, 5000)
    run = [sys.executable, "-c", RUN, str(path), server.url, KEY]
    process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(server.arrived) < 50:
        assert process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.1)
    first = Counter(server.texts_sent)
    with connect(path) as connection:
        stored = connection.execute("select count(*) from text.readings").fetchall()[0][0]
        assert connection.execute("select sum(texts) from text.usage").fetchall()[0][0] == stored
    assert 0 < stored < 5000
    # At most what was in flight, or answered and not yet stored, is paid for twice.
    assert sum(first.values()) - stored <= 4 * 2 * 50
    server.arrived.clear()
    subprocess.run(run, check=True)
    assert len(server.texts_sent) == 5000 - stored
    with connect(path) as connection:
        rows = connection.execute("select count(*), count(distinct text_id), any_value(status) from text.readings")
        assert rows.fetchall()[0] == (5000, 5000, "read")
        assert connection.execute("select count(*) from text.tags").fetchall()[0] == (5000,)


def test_two_taggers_are_compared_on_what_both_read(tmp_path, server, reader):
    path = tmp_path / "warehouse.duckdb"
    with connect(path) as connection:
        prepare(connection)
        add(connection, 2)
        add(connection, 2, body="We live in Excel", first=2)
        read_due_texts(connection, PlainReader(Plain()), DAY, NEXT)
    with pytest.raises(NothingToCompareError, match="two are needed; taggers here: plain-1"):
        agreement_report(path)
    with connect(path) as connection:
        read_due_texts(connection, reader(), DAY, NEXT)
    report = agreement_report(path)
    assert report.startswith("A plain-1\nB llm-m-")
    assert "advanced_intent      2       2       0        0    0.50   0.00" in report
    assert "tickets:2#hash2: lost advanced_intent" in report
    assert "tickets:2#hash2: gained adjacent_use" in report
    with pytest.raises(NothingToCompareError, match="no gpt-9; taggers here: plain-1, llm-m-"):
        agreement_report(path, "gpt-9")
