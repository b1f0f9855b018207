"""OpenAI's Batch API: a file of requests, answered within a day for less.

Belongs here: a job's file, making it once, asking how it stands, its answers. Does not belong here: which texts are in
it, and where that is kept (``store/texts.py``).

`instructor.batch` is not used: it takes no `base_url` and skips what the answer's model forgives.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from expansion_assets.tagging.llm.client import LlmUnavailableError, Reason, Reply
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
# Too slow, in conflict, too many, 5xx: no fault of a request. Every other 4xx is its own.
_PASSING_STATUSES = (408, 409, 429)
_UNKNOWN_STATUSES = (404, 405, 410)
_log = logging.getLogger(__name__)


class JobUnknownError(LlmUnavailableError):
    """The endpoint knows no such job, keeps its answers no longer, or has no Batch API at all."""


class PassingError(LlmUnavailableError):
    """No answer this time; a later run may have one."""


@dataclass(frozen=True)
class Outcome:
    """How a job stands: its replies by request id once it has ended, or why it has none."""

    status: Literal["waiting", "ended", "failed"]
    replies: dict[str, Reply]
    problem: str | None = None


def find_job(tagger: LlmTagger, job_key: str) -> str | None:
    """Id of the job that carries an own key, or None when it was never made.

    Raises:
        JobUnknownError: The endpoint has no Batch API.
        PassingError: It does not answer.
        LlmUnavailableError: It refuses the key.
    """
    with _clear_errors():
        made = tagger.client.api.batches.list(limit=100)
        return next((batch.id for batch in made if (batch.metadata or {}).get(_OWN_KEY) == job_key), None)


def make_job(tagger: LlmTagger, job_key: str, askings: Iterable[Asking]) -> str:
    """Make a job at the endpoint and return its id; the own key goes along, so that it can be met again.

    Raises:
        JobUnknownError: see ``find_job``.
        PassingError: The job may have been made or not: to be looked for before it is made again.
        LlmUnavailableError: see ``find_job``.
    """
    api = tagger.client.api
    lines = _lines(tagger, askings)
    with _clear_errors():
        file = api.files.create(file=("texts.jsonl", lines), purpose="batch")
        # Sent once: where an answer is lost, a client that tries again makes a second job, and both are paid for.
        made = api.with_options(max_retries=0).batches.create(
            input_file_id=_id_of(file), endpoint=_ENDPOINT, completion_window="24h", metadata={_OWN_KEY: job_key}
        )
        return _id_of(made)


def read_job(tagger: LlmTagger, batch_id: str) -> Outcome:
    """Ask how a job stands; when it has ended, whole or in part, read its answers.

    Raises:
        JobUnknownError: The endpoint knows no such job, or keeps its answers no longer.
        PassingError: see ``find_job``.
        LlmUnavailableError: see ``find_job``.
    """
    with _clear_errors():
        batch = tagger.client.api.batches.retrieve(batch_id)
        _id_of(batch)
    if batch.status in _ENDED_BADLY and not batch.output_file_id:
        return Outcome("failed", {}, batch.status)
    if batch.status not in ("completed", "expired", *_ENDED_BADLY):
        return Outcome("waiting", {})
    return Outcome("ended", dict(_replies(tagger, batch)), None if batch.status == "completed" else batch.status)


def submit(tagger: LlmTagger, texts: Sequence[Text], wanted: str) -> Iterator[Batch]:
    """Submit texts for a tagger that is `wanted`.

    Yields each job twice: in preparation with its texts, which has to be stored by the time that the next is asked for,
    and once it is made. A run that is killed in between leaves it in preparation, and ``collect`` goes on from there;
    so it does where the endpoint gives no answer.

    Raises:
        LlmUnavailableError: The endpoint has no Batch API, or refuses the key.
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
                stands_in_for=stands_in_for, sent_hash=_sent_hash(tagger, text),
            )
            for asking in some
            for text in asking.texts
        )
        yield Batch(tuple(readings), job=job)
        try:
            batch_id = make_job(tagger, key, some)
        except PassingError as error:
            _log.warning("batch job %s stays in preparation, the next run goes on with it: %s", key, error)
            continue
        yield Batch(job=replace(job, status="submitted", batch_id=batch_id))


def collect(tagger: LlmTagger, open_job: OpenJob) -> Iterator[Batch]:
    """Go on with a job where it stands: make it, leave it, or read its answers and store them at once.

    No fault of the endpoint stops a run here, for other texts have nothing to do with this job: one that it does not
    know gives its texts back, and otherwise the job waits for a later run.

    Args:
        tagger: The job's own model, under the job's version.
        open_job: The job and its texts.
    """
    try:
        yield from _go_on(tagger, open_job)
    except JobUnknownError:
        yield _given_back(open_job, "job_unknown")
    except LlmUnavailableError as error:
        key, texts = open_job.job.job_key, len(open_job.submitted)
        _log.warning("batch job %s stays open, its %d texts wait: %s", key, texts, error)


def _go_on(tagger: LlmTagger, open_job: OpenJob) -> Iterator[Batch]:
    job = open_job.job
    if job.batch_id is None:
        yield from _make_at_last(tagger, open_job)
        return
    outcome = read_job(tagger, job.batch_id)
    if outcome.status == "ended":
        yield _settled(tagger, open_job, outcome)
    elif outcome.status == "failed":
        yield _given_back(open_job, "job_failed", outcome.problem)


def _make_at_last(tagger: LlmTagger, open_job: OpenJob) -> Iterator[Batch]:
    """Find the job that a run before left in preparation, or make it."""
    job = open_job.job
    batch_id = find_job(tagger, job.job_key)
    if batch_id is None:
        if tagger.version != version_of(tagger.model):
            yield _given_back(open_job, "prompt_changed")
            return
        # Names are taken out as they are on record now: what was written down then is not what will be sent.
        now = (
            replace(reading, cost=None, sent_hash=_sent_hash(tagger, reading.text)) for reading in open_job.submitted
        )
        yield Batch(tuple(now), job=job)
        batch_id = make_job(tagger, job.job_key, _askings(open_job))
    yield Batch(job=replace(job, status="submitted", batch_id=batch_id))


def _settled(tagger: LlmTagger, open_job: OpenJob, outcome: Outcome) -> Batch:
    """Everything that came of a job that has ended."""
    submitted = {reading.text.text_id: reading for reading in open_job.submitted}
    accounts = accounts_of([reading.text for reading in open_job.submitted])
    # A request that an expired job never came to is no fault of its texts; a line that cannot be read may be.
    unanswered = Reply(None, "timed_out" if outcome.problem else "invalid", ())
    readings: list[TextReading] = []
    paid: list[Paid] = []
    for asking in _askings(open_job):
        settled, _ = tagger.settle(asking, outcome.replies.get(asking.request_id, unanswered), accounts)
        paid += settled.paid
        readings += (
            _proven(tagger, reading, submitted[reading.text.text_id])
            if reading.text.text_id not in open_job.gone
            else replace(reading, status="failed", reason="text_changed", tags=())
            for reading in settled.readings
        )
    return Batch(tuple(readings), tuple(paid), replace(open_job.job, status="collected", problem=outcome.problem))


def _proven(tagger: LlmTagger, reading: TextReading, submitted: TextReading) -> TextReading:
    """A reading whose quotes were looked up in what was sent; the text goes back where that can no longer be told."""
    reading = replace(reading, stands_in_for=submitted.stands_in_for)
    if reading.tags and submitted.sent_hash != _sent_hash(tagger, reading.text):
        # With other names on record a placeholder stands for somebody else, and a quote would be put in their mouth.
        return replace(reading, status="queued", reason="names_changed", tags=())
    return reading


def _sent_hash(tagger: LlmTagger, text: Text) -> str:
    """Hash of what a request tells of a text, names taken out as they are on record now: 20 hexadecimal digits."""
    told = tagger.messages(Asking((text,), ""))[-1]["content"]
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def _askings(open_job: OpenJob) -> list[Asking]:
    by_request: dict[str, list[Text]] = {}
    for reading in open_job.submitted:
        by_request.setdefault(reading.request_id or "", []).append(reading.text)
    return [Asking(tuple(texts), request_id) for request_id, texts in by_request.items()]


def _given_back(open_job: OpenJob, reason: str, problem: str | None = None) -> Batch:
    """The job as failed and its texts in the queue, no attempt counted; `problem` is the reason unless told."""
    queued = (
        replace(reading, status="queued", reason=reason, request_id=None, cost=0.0, sent_hash=None)
        for reading in open_job.submitted
    )
    return Batch(tuple(queued), job=replace(open_job.job, status="failed", problem=problem or reason))


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
        with _clear_errors():
            content = tagger.client.api.files.content(file_id).content
        # str.splitlines() would split at U+2028 and others, too, which stand in JSON as they are.
        for line in content.split(b"\n"):
            yield from _reply(tagger, line)


def _reply(tagger: LlmTagger, line: bytes) -> Iterator[tuple[str, Reply]]:
    """The reply in a line of an answered job; none in a line that is blank or broken."""
    try:
        found = json.loads(line)
    except ValueError:
        return
    request_id = found.get("custom_id") if isinstance(found, dict) else None
    if not isinstance(request_id, str):
        return
    response = found.get("response")
    status = response.get("status_code") if isinstance(response, dict) else None
    if status == 200:
        yield request_id, tagger.client.read_completion(response.get("body"))
    else:
        yield request_id, Reply(None, _reason_of(status), ())


def _reason_of(status: Any) -> Reason:
    is_its_own = isinstance(status, int) and 400 <= status < 500 and status not in _PASSING_STATUSES
    return "turned_down" if is_its_own else "server_error"


def _id_of(made: Any) -> str:
    """Id of a file or job as the endpoint tells it.

    Raises:
        JobUnknownError: There is none: some endpoints answer 200 with a page or an error to what they do not know.
    """
    found = getattr(made, "id", None)
    if not found:
        raise JobUnknownError(_advice("answers with something else"))
    return str(found)


def _advice(fault: str) -> str:
    return f"the endpoint's Batch API {fault}: check EXPANSION_LLM_API_KEY, or choose EXPANSION_LLM_TRANSPORT=live"


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Every failure of these calls as one line; the client has tried again already where that may help."""
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise _error_of(error.status_code, error.code) from None
    except AttributeError:  # the client takes a page for the JSON that it expects
        raise JobUnknownError(_advice("answers with something else")) from None
    except openai.OpenAIError:
        raise PassingError("the endpoint's Batch API cannot be reached") from None


def _error_of(status: int, code: str | None) -> LlmUnavailableError:
    kind = LlmUnavailableError
    if status in _UNKNOWN_STATUSES:
        kind = JobUnknownError
    elif status >= 500 or (status in _PASSING_STATUSES and code != "insufficient_quota"):
        kind = PassingError
    return kind(_advice(f"answers HTTP {status}"))
