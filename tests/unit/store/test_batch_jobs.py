"""The Batch API over loopback: submitted once, collected later, resumed after a kill, never paid for twice."""

import json
from datetime import datetime

import llm_server
import pytest
from llm_server import KEY
from text_warehouse import DAY, NEXT, PRICE, add, statuses

from expansion_assets.store.texts import (
    due_texts,
    open_jobs,
    read_due_texts,
    spent_in_month,
    store_batch,
    with_names,
)
from expansion_assets.store.warehouse import fetch_rows
from expansion_assets.tagging.llm import reader as reader_module
from expansion_assets.tagging.llm.client import Endpoint, LlmClient, LlmUnavailableError
from expansion_assets.tagging.llm.reader import LlmReader, Way
from expansion_assets.tagging.llm.tagger import LlmTagger
from expansion_assets.tagging.schema import MOST_ATTEMPTS

LATER = NEXT.replace(day=4)


def reader_of(server, retries=0, is_batch=True):
    client = LlmClient(Endpoint(server.url, http_retries=retries), KEY)
    return LlmReader([Way("normal", LlmTagger(client, "m", PRICE, batch_texts=4, is_batch=is_batch))])


@pytest.fixture(autouse=True)
def priced(monkeypatch):
    monkeypatch.setattr(reader_module, "price_of", lambda model: PRICE)


@pytest.fixture
def reader(server):
    reader = reader_of(server)
    yield reader
    reader.ways[0].tagger.client.close()


@pytest.fixture
def patient_reader(server):
    """Its client tries again."""
    reader = reader_of(server, retries=2)
    yield reader
    reader.ways[0].tagger.client.close()


@pytest.fixture
def live_reader(server):
    """What transport=live chooses; it still collects the jobs of runs before."""
    reader = reader_of(server, is_batch=False)
    yield reader
    reader.ways[0].tagger.client.close()


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


def readings_by(connection, *columns):
    """Readings by some columns, with their number."""
    names = ", ".join(columns)
    return fetch_rows(connection, f"select {names}, count(*) as n from text.readings group by all order by all")


def test_a_request_that_is_turned_down_does_not_hold_its_neighbours(warehouse, server, reader):
    add(warehouse, 7)
    add(warehouse, 1, first=7, body="GUILTY")
    server.turns_down = "GUILTY"
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4, ("m", "submitted"): 4}
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 7, ("m", "submitted"): 1}
    for _ in range(4):
        read_due_texts(warehouse, reader, DAY, NEXT)
    assert readings_by(warehouse, "status", "reason", "attempts")[0] == {
        "status": "failed", "reason": "turned_down", "attempts": MOST_ATTEMPTS, "n": 1,
    }
    assert statuses(warehouse) == {("m", "read"): 7, ("m", "failed"): 1} and len(server.batches) == MOST_ATTEMPTS


@pytest.mark.parametrize(("status", "fate"), [
    ("400", "failed"), ("403", "failed"), ("413", "failed"), ("422", "failed"),
    ("408", "queued"), ("409", "queued"), ("429", "queued"), ("500", "queued"), ("503", "queued"),
])
def test_which_failed_requests_count_as_the_texts_own(warehouse, server, reader, status, fate):
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    server.will(status)
    jobs_open, _ = open_jobs(warehouse)
    (batch,) = reader.collect(jobs_open)
    assert {(reading.status, reading.attempts) for reading in batch.readings} == {(fate, int(fate == "failed"))}


def test_separators_of_lines_in_an_answer_break_no_line(warehouse, server, reader):
    add(warehouse, 4, body="We want an API\u2028please\u2029and\x85soon")
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4}
    assert any("\u2028".encode() in content for content in server.files.values())
    assert fetch_rows(warehouse, "select count(*) as n from text.tags where is_quote_found") == [{"n": 4}]


def test_a_broken_line_fails_its_own_request_only(warehouse, server, reader):
    add(warehouse, 8)
    read_due_texts(warehouse, reader, DAY, NEXT)
    server.will("break")
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4, ("m", "submitted"): 4}
    assert jobs(warehouse)[1]["requests"] == 4  # each alone
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 8}


def test_an_answer_is_forgiven_what_a_live_one_is(warehouse, server, reader, monkeypatch):
    make = server.completion

    def odd(body, behaviour="well"):
        made = make(body, behaviour)
        made["choices"][0]["finish_reason"] = "eos"
        del made["created"]
        return made

    monkeypatch.setattr(server, "completion", odd)
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4}
    assert fetch_rows(warehouse, "select outcome, tokens_in from text.usage") == [
        {"outcome": "answered", "tokens_in": 100}
    ]


@pytest.mark.parametrize("choices", [[], None, "none", [None], [{}], [{"message": None}], [{"message": "hello"}]])
def test_an_answer_that_is_of_no_use_is_paid_for_all_the_same(warehouse, server, reader, monkeypatch, choices):
    make = server.completion
    monkeypatch.setattr(server, "completion", lambda *asked: make(*asked) | {"choices": choices})
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert fetch_rows(warehouse, "select outcome, tokens_in, tokens_out from text.usage") == [
        {"outcome": "invalid", "tokens_in": 100, "tokens_out": 10}
    ]


def test_tokens_that_are_no_numbers_are_unknown(warehouse, server, reader, monkeypatch):
    make = server.completion
    usage = {"prompt_tokens": "many", "completion_tokens": None}
    monkeypatch.setattr(server, "completion", lambda *asked: make(*asked) | {"usage": usage})
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4}
    assert fetch_rows(warehouse, "select tokens_in from text.usage") == [{"tokens_in": None}]


def test_a_job_that_was_made_before_the_connection_dropped_is_not_made_again(warehouse, server, patient_reader):
    add(warehouse, 6)
    server.jobs_to_drop = 1
    read_due_texts(warehouse, patient_reader, DAY, NEXT)
    assert len(server.batches) == 1
    assert jobs(warehouse) == [{"status": "preparing", "requests": 2, "texts": 6, "problem": None}]
    read_due_texts(warehouse, patient_reader, DAY, NEXT)
    read_due_texts(warehouse, patient_reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 6} and len(server.batches) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_job_that_cannot_be_made_just_now_is_made_by_the_next_run(warehouse, server, reader, status):
    add(warehouse, 4)
    server.statuses = {"batches": status}
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert jobs(warehouse)[0]["status"] == "preparing" and not server.batches
    server.statuses = {}
    read_due_texts(warehouse, reader, DAY, NEXT)
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4} and len(server.batches) == 1


def test_without_a_batch_api_choosing_live_helps(warehouse, server, reader, live_reader):
    add(warehouse, 4)
    server.statuses = {"batches": 404, "files": 404}
    with pytest.raises(LlmUnavailableError, match="EXPANSION_LLM_TRANSPORT=live"):
        read_due_texts(warehouse, reader, DAY, NEXT)
    add(warehouse, 4, first=10)
    read_due_texts(warehouse, live_reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 8}
    assert jobs(warehouse) == [{"status": "failed", "requests": 1, "texts": 4, "problem": "job_unknown"}]


def test_a_job_that_the_endpoint_does_not_know_gives_its_texts_back(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    server.batches.clear()  # another account, another endpoint
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert [row["problem"] for row in jobs(warehouse)] == ["job_unknown", None]
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4}


def test_answers_that_are_kept_no_longer_are_asked_for_again(warehouse, server, reader):
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    server.statuses = {"files/": 404}
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert [row["problem"] for row in jobs(warehouse)] == ["job_unknown", None]
    server.statuses = {}
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4}


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_job_that_cannot_be_asked_for_waits_while_other_texts_are_read(
    warehouse, server, reader, live_reader, status, caplog
):
    add(warehouse, 4)
    read_due_texts(warehouse, reader, DAY, NEXT)
    add(warehouse, 4, first=10)
    server.statuses = {"batches": status}
    read_due_texts(warehouse, live_reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "submitted"): 4, ("m", "read"): 4}
    assert jobs(warehouse)[0]["status"] == "submitted" and "its 4 texts wait" in caplog.text
    server.statuses = {}
    read_due_texts(warehouse, live_reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 8} and len(server.batches) == 1


@pytest.mark.parametrize("page", [b"<html>Welcome to the hotel</html>", b'{"error": "no such method"}'])
@pytest.mark.parametrize("is_made", [False, True])
def test_something_else_than_a_batch_api_gives_the_texts_back(
    warehouse, server, reader, live_reader, monkeypatch, page, is_made
):
    add(warehouse, 4)
    killed_after(warehouse, reader, 2 if is_made else 1)
    headers = [("Content-Type", "text/html" if page.startswith(b"<") else "application/json")]
    monkeypatch.setattr(llm_server, "_serve_batches", lambda server, http, data: http.reply(200, page, headers))
    read_due_texts(warehouse, live_reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4}
    assert jobs(warehouse)[0]["problem"] == "job_unknown"


def contact(connection, name):
    connection.execute("insert into raw.crm_contacts values ('A1', $1, null)", [name])


def first_person_wants_it(text):
    return [{"label": "advanced_intent", "quote": "[PERSON_1] needs the API", "polarity": "affirmed",
             "intent": "declared", "probability": 0.9}] if "[PERSON_1]" in text else []


def test_no_quote_is_proven_against_other_names_than_were_taken_out(warehouse, server, reader):
    server.read = first_person_wants_it
    contact(warehouse, "Bob Hope")
    add(warehouse, 1, body="Carla needs the API? No. Bob needs the API")
    add(warehouse, 1, body="Bob needs the API", first=1)
    read_due_texts(warehouse, reader, DAY, NEXT)
    contact(warehouse, "Carla Diaz")
    read_due_texts(warehouse, reader, NEXT, LATER)
    # The text that names Carla is asked again, with her taken out; its neighbour is read.
    quotes = "select text_id, quote from text.tags order by text_id"
    assert fetch_rows(warehouse, quotes) == [{"text_id": "tickets:1", "quote": "Bob needs the API"}]
    assert statuses(warehouse) == {("m", "read"): 1, ("m", "submitted"): 1}
    read_due_texts(warehouse, reader, NEXT, LATER)
    assert fetch_rows(warehouse, quotes)[0] == {"text_id": "tickets:0", "quote": "Carla needs the API"}
    assert "[PERSON_1] needs the API? No. [PERSON_2] needs" in sent(server)[-1]["text"]


def test_a_text_without_tags_needs_no_proof(warehouse, server, reader):
    server.read = lambda text: []
    add(warehouse, 4, body="Carla was here")
    read_due_texts(warehouse, reader, DAY, NEXT)
    contact(warehouse, "Carla Diaz")
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert statuses(warehouse) == {("m", "read"): 4} and len(server.batches) == 1


def test_a_job_that_is_made_later_is_proven_against_what_was_sent_then(warehouse, server, reader):
    server.read = first_person_wants_it
    contact(warehouse, "Bob Hope")
    add(warehouse, 1, body="Carla needs the API? No. Bob needs the API")
    killed_after(warehouse, reader, 1)
    contact(warehouse, "Carla Diaz")
    read_due_texts(warehouse, reader, DAY, NEXT)  # made with both names taken out
    read_due_texts(warehouse, reader, DAY, NEXT)
    assert fetch_rows(warehouse, "select quote from text.tags") == [{"quote": "Carla needs the API"}]
    assert len(server.batches) == 1
