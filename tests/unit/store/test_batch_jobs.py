"""The Batch API over loopback: submitted once, collected later, resumed after a kill, never paid for twice."""

import json
from datetime import datetime

import pytest
from llm_server import KEY
from text_warehouse import DAY, NEXT, PRICE, add, statuses

from expansion_assets.store.texts import due_texts, read_due_texts, spent_in_month, store_batch, with_names
from expansion_assets.store.warehouse import fetch_rows
from expansion_assets.tagging.llm import reader as reader_module
from expansion_assets.tagging.llm.client import Endpoint, LlmClient, LlmUnavailableError
from expansion_assets.tagging.llm.reader import LlmReader, Way
from expansion_assets.tagging.llm.tagger import LlmTagger

LATER = NEXT.replace(day=4)


@pytest.fixture
def reader(server, monkeypatch):
    monkeypatch.setattr(reader_module, "price_of", lambda model: PRICE)
    client = LlmClient(Endpoint(server.url, http_retries=0), KEY)
    tagger = LlmTagger(client, "m", PRICE, batch_texts=4, is_batch=True)
    yield LlmReader([Way("normal", tagger)])
    client.close()


def jobs(connection):
    return fetch_rows(connection, "select status, requests, texts, problem from text.batch_jobs order by all")


def sent(server):
    """Texts in all job files."""
    bodies = [json.loads(line)["body"] for batch in server.batches.values()
              for line in server.files[batch["input_file_id"]].splitlines()]
    contents = [message["content"] for body in bodies for message in body["messages"] if message["role"] == "user"]
    return [text for content in contents for text in json.JSONDecoder().raw_decode(content)[0]["texts"]]


def test_submitted_by_one_run_and_collected_by_the_next_at_half_price(warehouse, server, reader):
    warehouse.execute("insert into raw.crm_contacts values ('A1', 'Jane Miller', null)")
    add(warehouse, 10, body="Jane Miller wants an API")
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "submitted"): 10}
    assert jobs(warehouse) == [{"status": "submitted", "requests": 3, "texts": 10, "problem": None}]
    assert sent(server)[0]["text"] == "[PERSON_1] wants an API 0."
    # Not ready: nothing changes, nothing is submitted again.
    server.batch_status = "in_progress"
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "submitted"): 10} and len(server.batches) == 1
    server.batch_status = "completed"
    report = read_due_texts(warehouse, reader, NEXT, LATER)
    assert statuses(warehouse) == {("m", "read"): 10}
    assert jobs(warehouse)[0]["status"] == "collected"
    assert (report.late_from, report.tags, report.cost) == (DAY, 10, pytest.approx(3 * 0.0001))
    quotes = fetch_rows(warehouse, "select distinct is_quote_found, left(quote, 11) as quote, known_on from text.tags")
    assert quotes == [{"is_quote_found": True, "quote": "Jane Miller", "known_on": DAY}]
    assert fetch_rows(warehouse, "select distinct transport, model from text.usage") == [
        {"transport": "batch", "model": "m"}
    ]
    assert read_due_texts(warehouse, reader, DAY, LATER).is_empty
    assert len(server.batches) == 1 and server.arrived == []


def test_a_job_asks_as_a_live_request_does(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    (line,) = server.files["file-0"].splitlines()
    live = LlmTagger(reader.ways[0].tagger.client, "m", PRICE, batch_texts=4)
    list(live.read(with_names(warehouse, due_texts(warehouse, "another", DAY, NEXT))))
    assert json.loads(line)["body"] == server.arrived[0].body
    assert json.loads(line)["url"] == server.arrived[0].path


def test_an_open_job_has_its_money_set_aside(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    (job,) = fetch_rows(warehouse, "select estimate, changed_at from text.batch_jobs")
    assert spent_in_month(warehouse, job["changed_at"]) == pytest.approx(job["estimate"])
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert spent_in_month(warehouse, job["changed_at"]) == pytest.approx(0.0001)


def killed_after(warehouse, reader, batches):
    """Run until so many batches are stored, as a run does that is killed then."""
    due = due_texts(warehouse, reader.version, DAY, NEXT)
    known_on = {item.text.text_id: item.known_on for item in due}
    running = reader.read(with_names(warehouse, due))
    for _ in range(batches):
        store_batch(warehouse, next(running), known_on, datetime(2026, 3, 2))
    return running


def test_killed_before_the_job_was_made_the_next_run_makes_it(warehouse, server, reader):
    add(warehouse, 6)
    killed_after(warehouse, reader, 1)
    assert jobs(warehouse)[0]["status"] == "preparing" and not server.batches
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert jobs(warehouse)[0]["status"] == "submitted" and len(server.batches) == 1
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 6} and len(server.batches) == 1


def test_killed_after_the_job_was_made_the_next_run_meets_it_again(warehouse, server, reader):
    add(warehouse, 6)
    running = killed_after(warehouse, reader, 1)
    next(running)  # made at the endpoint, its id never stored
    assert jobs(warehouse)[0]["status"] == "preparing" and len(server.batches) == 1
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 6} and len(server.batches) == 1


def test_what_an_ended_job_left_out_goes_back_to_the_queue(warehouse, server, reader):
    add(warehouse, 8)
    read_due_texts(warehouse, reader, DAY, NEXT)
    server.batch_status = "expired"
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4, ("m", "submitted"): 4}
    assert {row["status"] for row in jobs(warehouse)} == {"collected", "submitted"}
    server.batch_status = "completed"
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 8}
    assert len(server.batches) == 2 and len(sent(server)) == 12


def test_each_request_of_a_job_fails_on_its_own(warehouse, server, reader):
    add(warehouse, 12)
    read_due_texts(warehouse, reader, DAY, NEXT)
    server.will("500", "refuse", "fenced")
    server.always = "well"
    read_due_texts(warehouse, reader, NEXT, LATER)
    rows = fetch_rows(warehouse, "select status, reason, count(*) as n from text.readings group by all order by all")
    # What failed or was left is submitted again by the same run: each text that was refused goes alone.
    assert rows == [{"status": "read", "reason": None, "n": 4}, {"status": "submitted", "reason": None, "n": 8}]
    assert jobs(warehouse)[1]["requests"] == 4 + 1
    read_due_texts(warehouse, reader, NEXT, LATER)
    assert statuses(warehouse) == {("m", "read"): 12}


def test_a_failed_job_gives_its_texts_back(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    server.batch_status = "failed"
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert jobs(warehouse) == [
        {"status": "failed", "requests": 1, "texts": 4, "problem": "failed"},
        {"status": "submitted", "requests": 1, "texts": 4, "problem": None},
    ]


def test_a_text_that_changed_meanwhile_is_read_anew(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    warehouse.execute("update features.texts set content_hash = 'new', body = 'An API' where text_id = 'tickets:0'")
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    rows = fetch_rows(warehouse, "select content_hash, status, reason from text.readings where text_id = 'tickets:0'")
    assert sorted(rows, key=lambda row: row["content_hash"]) == [
        {"content_hash": "hash0", "status": "failed", "reason": "text_changed"},
        {"content_hash": "new", "status": "read", "reason": None},
    ]


def test_an_endpoint_without_a_batch_api_is_one_clear_line(warehouse, server, reader):
    add(warehouse, 4)
    server.always = "404"
    with pytest.raises(LlmUnavailableError, match=r"Batch API answers HTTP 404: .*EXPANSION_LLM_TRANSPORT=live"):
        read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "submitted"): 4}
    server.always = "well"
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4}
