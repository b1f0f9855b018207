"""OpenAI's Batch API: a file of requests, answered within a day for less.

Belongs here: a job's file, making it once, asking how it stands, its answers. Does not belong here: which texts are in
it, and where that is kept (``store/texts.py``).

`instructor.batch` is not used: it takes no `base_url` and skips what the answer's model forgives.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from expansion_assets.tagging.llm.client import LlmUnavailableError, Reply
from expansion_assets.tagging.llm.prompt import version_of
from expansion_assets.tagging.llm.tagger import Asking, LlmTagger, accounts_of
from expansion_assets.tagging.schema import Batch, BatchJob, OpenJob, Paid, Text, TextReading

if TYPE_CHECKING:
    from openai.types import Batch as ApiBatch

MOST_REQUESTS = 10_000
"""Requests in one job; the API takes 50,000 and 200 MB."""
_ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_OWN_KEY = "expansion_job"
_ENDED_BADLY = ("failed", "cancelled", "cancelling")


@dataclass(frozen=True)
class Outcome:
    """How a job stands: its replies by request id once it has ended, or why it has none."""

    status: Literal["waiting", "ended", "failed"]
    replies: dict[str, Reply]
    problem: str | None = None


def find_job(tagger: LlmTagger, job_key: str) -> str | None:
    """Id of the job that carries an own key, or None when it was never made.

    Raises:
        LlmUnavailableError: The endpoint has no Batch API, or refuses the key.
    """
    with _clear_errors():
        made = tagger.client.api.batches.list(limit=100)
        return next((batch.id for batch in made if (batch.metadata or {}).get(_OWN_KEY) == job_key), None)


def make_job(tagger: LlmTagger, job_key: str, askings: Iterable[Asking]) -> str:
    """Make a job at the endpoint and return its id; the own key goes along, so that it can be met again.

    Raises:
        LlmUnavailableError: see ``find_job``.
    """
    api = tagger.client.api
    with _clear_errors():
        file = api.files.create(file=("texts.jsonl", _lines(tagger, askings)), purpose="batch")
        made = api.batches.create(
            input_file_id=file.id, endpoint=_ENDPOINT, completion_window="24h", metadata={_OWN_KEY: job_key}
        )
    return made.id


def read_job(tagger: LlmTagger, batch_id: str) -> Outcome:
    """Ask how a job stands; when it has ended, whole or in part, read its answers.

    Raises:
        LlmUnavailableError: see ``find_job``.
    """
    with _clear_errors():
        batch = tagger.client.api.batches.retrieve(batch_id)
        if batch.status in _ENDED_BADLY and not batch.output_file_id:
            return Outcome("failed", {}, batch.status)
        if batch.status not in ("completed", "expired", *_ENDED_BADLY):
            return Outcome("waiting", {})
        return Outcome("ended", dict(_replies(tagger, batch)), None if batch.status == "completed" else batch.status)


def submit(tagger: LlmTagger, texts: Sequence[Text], wanted: str) -> Iterator[Batch]:
    """Submit texts for a tagger that is `wanted`.

    Yields each job twice: in preparation with its texts, which has to be stored by the time that the next is asked for,
    and once it is made. A run that is killed in between leaves it in preparation, and ``collect`` goes on from there.
    """
    askings = tagger.askings(texts)
    for at in range(0, len(askings), MOST_REQUESTS):
        key = uuid.uuid4().hex
        some = [
            replace(asking, request_id=f"{key}-{number}")
            for number, asking in enumerate(askings[at : at + MOST_REQUESTS])
        ]
        inside = [text for asking in some for text in asking.texts]
        estimate = sum(tagger.estimates(inside)) if tagger.price else None
        job = BatchJob(key, tagger.version, tagger.model, "preparing", len(some), len(inside), estimate)
        stands_in_for = None if tagger.version == wanted else wanted
        readings = (
            TextReading(
                text, tagger.version, "submitted", attempts=text.attempts, request_id=asking.request_id, cost=None,
                stands_in_for=stands_in_for,
            )
            for asking in some
            for text in asking.texts
        )
        yield Batch(tuple(readings), job=job)
        yield Batch(job=replace(job, status="submitted", batch_id=make_job(tagger, key, some)))


def collect(tagger: LlmTagger, open_job: OpenJob) -> Iterator[Batch]:
    """Go on with a job where it stands: make it, leave it, or read its answers and store them at once.

    Args:
        tagger: The job's own model, under the job's version.
        open_job: The job and its texts.
    """
    job = open_job.job
    askings = _askings(open_job)
    if job.batch_id is None:
        batch_id = find_job(tagger, job.job_key)
        if batch_id is None and tagger.version != version_of(tagger.model):
            failed = replace(job, status="failed", problem="prompt_changed")
            yield Batch(_queued(open_job, "prompt_changed"), job=failed)
            return
        batch_id = batch_id or make_job(tagger, job.job_key, askings)
        yield Batch(job=replace(job, status="submitted", batch_id=batch_id))
        return
    outcome = read_job(tagger, job.batch_id)
    if outcome.status == "waiting":
        return
    if outcome.status == "failed":
        yield Batch(_queued(open_job, "job_failed"), job=replace(job, status="failed", problem=outcome.problem))
        return
    texts = [reading.text for reading in open_job.submitted]
    stands_in_for = {reading.text.text_id: reading.stands_in_for for reading in open_job.submitted}
    accounts = accounts_of(texts)
    readings: list[TextReading] = []
    paid: list[Paid] = []
    for asking in askings:
        # A request that an expired job never came to is no fault of its texts.
        reply = outcome.replies.get(asking.request_id, Reply(None, "timed_out", ()))
        settled, _ = tagger.settle(asking, reply, accounts)
        paid += settled.paid
        readings += (
            replace(reading, stands_in_for=stands_in_for[reading.text.text_id])
            if reading.text.text_id not in open_job.gone
            else replace(reading, status="failed", reason="text_changed", tags=())
            for reading in settled.readings
        )
    yield Batch(tuple(readings), tuple(paid), replace(job, status="collected", problem=outcome.problem))


def _askings(open_job: OpenJob) -> list[Asking]:
    by_request: dict[str, list[Text]] = {}
    for reading in open_job.submitted:
        by_request.setdefault(reading.request_id or "", []).append(reading.text)
    return [Asking(tuple(texts), request_id) for request_id, texts in by_request.items()]


def _queued(open_job: OpenJob, reason: str) -> tuple[TextReading, ...]:
    return tuple(
        replace(reading, status="queued", reason=reason, request_id=None, cost=0.0) for reading in open_job.submitted
    )


def _lines(tagger: LlmTagger, askings: Iterable[Asking]) -> bytes:
    lines = (
        {
            "custom_id": asking.request_id, "method": "POST", "url": _ENDPOINT,
            "body": tagger.client.request_body(tagger.model, tagger.messages(asking)),
        }
        for asking in askings
    )
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def _replies(tagger: LlmTagger, batch: ApiBatch) -> Iterator[tuple[str, Reply]]:
    for file_id in (batch.error_file_id, batch.output_file_id):
        if not file_id:
            continue
        for line in tagger.client.api.files.content(file_id).text.splitlines():
            if not line.strip():
                continue
            found = json.loads(line)
            response = found.get("response") or {}
            is_answered = response.get("status_code") == 200
            reply = tagger.client.read_completion(response["body"]) if is_answered else Reply(None, "server_error", ())
            yield found["custom_id"], reply


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Every failure of these calls as one line; the client has tried again already where that may help."""
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise LlmUnavailableError(
            f"the endpoint's Batch API answers HTTP {error.status_code}: check EXPANSION_LLM_API_KEY, or choose "
            "EXPANSION_LLM_TRANSPORT=live"
        ) from None
    except openai.OpenAIError:
        raise LlmUnavailableError("the endpoint's Batch API cannot be reached") from None
