"""The answer to every kind of request, and what is on disk behind it."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expansion_assets.sources.intake.app import Limits
from expansion_assets.sources.intake.landing_log import Receipt
from expansion_assets.sources.intake.signature import sign
from tests.unit.sources.intake.intake_requests import KEY, NOW, alert, as_json, landed

SMALL = Limits(body_bytes=1000, body_seconds=0.05)


def once(run, *arguments, limits=None, keys=(KEY,), **keywords):
    async def scenario(post):
        return await post(*arguments, **keywords)

    return run(scenario, limits, keys)


def test_events_of_both_kinds_are_stored_with_their_arrival(run, tmp_path):
    async def scenario(post):
        change = {"change_id": "C1", "account_id": "A1", "move": "left", "changed_at": "2025-07-03T09:00:00Z"}
        return [
            (await post(as_json(alert(1)))).content,
            (await post(as_json(change), path="/v1/contact-role-changes")).content,
            (await post(as_json(alert(2)) + b"\n" + as_json(alert(3)), kind="application/x-ndjson")).content,
            (await post(as_json([alert(3), alert(4)]), kind='Application/JSON; charset="UTF-8"')).content,
        ]

    assert run(scenario) == [
        {"accepted": 1, "duplicates": 0}, {"accepted": 1, "duplicates": 0}, {"accepted": 2, "duplicates": 0},
        {"accepted": 1, "duplicates": 1}]
    rows = landed(tmp_path)
    assert [row.get("alert_id") or row["change_id"] for row in rows] == ["C1", "J1", "J2", "J3", "J4"]
    assert all(row["loaded_at"].startswith("2025-07-03T12:00:00.00000") for row in rows)


def test_an_event_that_breaks_its_contract_is_stored_for_the_loader_to_judge(run, tmp_path):
    assert once(run, as_json({"move": "vanished", "loaded_at": "1999-01-01"})).content["accepted"] == 1
    [row] = landed(tmp_path)
    assert row["other_members"] == {"loaded_at": "1999-01-01"}
    assert row["loaded_at"].startswith("2025-07-03")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"signature": None}, 401),
        ({"signature": sign(b"another key of sufficient length", as_json(alert(1)), NOW)}, 401),
        ({"signature": sign(KEY, as_json(alert(2)), NOW)}, 401),
        ({"signature": sign(KEY, as_json(alert(1)), NOW - 301)}, 401),
        ({"signature": sign(KEY, as_json(alert(1)), NOW + 301)}, 401),
        ({"headers": [("x-expansion-signature", "t=1,v1=" + "0" * 64)]}, 401),
        ({"kind": "text/plain"}, 415),
        ({"kind": ""}, 415),
        ({"kind": "application/json; charset=latin-1"}, 415),
        ({"headers": [("content-encoding", "gzip")]}, 415),
        ({"headers": [("content-length", "1001")]}, 413),
        ({"headers": [("content-length", "9" * 5000)]}, 413),
        ({"headers": [("content-length", "-1")]}, 413),
        ({"method": "GET"}, 405),
        ({"path": "/v1/other"}, 404),
        ({"body": b"{"}, 400),
        ({"body": b"[1]"}, 400),
        ({"body": b"[" + b"{}," * 300 + b"{}]", "limits": Limits(body_bytes=10)}, 413),
    ],
)
def test_what_must_not_pass_does_not(run, tmp_path, request_, status):
    request = {"body": as_json(alert(1)), "limits": SMALL} | request_
    answer = once(run, request.pop("body"), **request)
    assert answer.status == status
    assert landed(tmp_path) == []


def test_an_array_is_stored_whole_or_not_at_all(run, tmp_path):
    answer = once(run, as_json([alert(1), 7]))
    assert (answer.status, answer.content) == (400, {"error": "event 2: not a JSON object"})
    assert landed(tmp_path) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.integers(0, 40), st.integers(1, 400))
def test_a_body_without_length_is_read_to_its_bound_and_not_beyond(run, pieces, size):
    """The bytes read before the answer are bounded by the limit and one piece, whatever else is on its way."""
    signature = sign(KEY, b"", NOW)
    answer = once(run, [b"x" * size] * pieces, signature=signature, limits=Limits(body_bytes=1000, body_seconds=5))
    assert answer.status == (413 if pieces * size > 1000 else 401 if pieces else 400)
    assert (answer.pieces_before - 1) * size <= 1000


def test_a_stranger_is_sent_away_before_the_body_is_read(run):
    answer = once(run, [b"x" * 10] * 5, signature=None)
    assert (answer.status, answer.pieces_before, answer.headers["connection"]) == (401, 0, "close")


def test_a_slow_body_is_given_up(run):
    body = as_json(alert(1))
    answer = once(run, [body[:5]], signature=sign(KEY, body, NOW), is_endless=True, limits=SMALL)
    assert answer.status == 408


def test_either_key_opens_during_a_rotation(run):
    keys = (b"the key that is being introduced", KEY)
    assert once(run, as_json(alert(1)), keys=keys).status == 200


def test_concurrent_posts_of_overlapping_events_store_each_once(run, tmp_path):
    async def scenario(post):
        bodies = [as_json([alert(number % 40), alert(number % 7)]) for number in range(400)]
        answers = await asyncio.gather(*(post(body) for body in bodies))
        return sum(answer.content["accepted"] for answer in answers), {answer.status for answer in answers}

    assert run(scenario) == (40, {200})
    assert sorted(row["alert_id"] for row in landed(tmp_path)) == sorted(f"J{number}" for number in range(40))


class SlowLog:
    """Keeps every batch it gets and answers when let."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def commit(self, batches):
        self.batches.append(len(batches))
        return [Receipt(len(events), 0) for _, events in batches]


class BrokenLog:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def commit(self, batches):
        if isinstance(self.error, OSError):
            return [self.error] * len(batches)
        raise self.error


def test_what_waits_while_the_disk_works_shares_one_commit(run):
    log = SlowLog()

    async def scenario(post):
        await asyncio.gather(*(post(as_json(alert(number))) for number in range(50)))

    run(scenario, log=log)
    assert sum(log.batches) == 50
    assert len(log.batches) < 25


def test_too_much_waiting_for_the_disk_is_sent_back(run):
    async def scenario(post):
        return await asyncio.gather(*(post(as_json(alert(number))) for number in range(50)))

    answers = run(scenario, max_waiting_bytes=500)
    by_status = {status: [a for a in answers if a.status == status] for status in (200, 503)}
    assert by_status[200]
    assert by_status[503][0].headers["retry-after"] == "1"
    assert len(by_status[200]) + len(by_status[503]) == 50


@pytest.mark.parametrize(("error", "status"), [(OSError(28, "No space left"), 503), (RuntimeError("ann@acme"), 500)])
def test_nothing_is_acknowledged_that_was_not_stored(run, error, status, caplog):
    async def scenario(post):
        return [await post(as_json(alert(1))), await post(b"", path="/healthz", method="GET", signature=None)]

    stored, health = run(scenario, log=BrokenLog(error))
    assert (stored.status, health.status) == (status, 503 if status == 503 else 200)
    assert b"ann@acme" not in stored.body
    assert "ann@acme" not in caplog.text


def test_health_is_good_at_rest(run):
    assert once(run, b"", path="/healthz", method="GET", signature=None).content == {"status": "ok"}


def test_the_log_tells_what_happened_and_nothing_about_whom(run, monkeypatch):
    records: list[logging.LogRecord] = []
    logger = logging.getLogger("expansion_assets.intake")
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    person = alert("ann", person_name="Ann Other", person_email="ann@acme.example")

    async def scenario(post):
        await post(as_json(person))
        await post(as_json(person)[:-1])
        await post(as_json(person), signature="t=1,v1=ann@acme.example")
        await post(as_json(person), kind="ann@acme.example")

    try:
        run(scenario)
    finally:
        logger.removeHandler(handler)
    fields = [(record.getMessage(), record.__dict__["fields"]) for record in records]
    assert [(event, found.get("reason")) for event, found in fields] == [
        ("stored", None), ("refused", "bad_events"), ("refused", "not_signed"), ("refused", "content_type")]
    assert fields[0][1]["accepted"] == 1
    text = json.dumps(fields).lower()
    assert not any(word in text for word in ("ann", "acme", "127.0.0.1"))
