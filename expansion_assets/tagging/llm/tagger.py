"""Reading texts with a language model: requests in flight, texts asked again alone, nothing lost.

Belongs here: which texts share a request, what happens to each after an answer or a failure, the stop when an endpoint
is gone. Does not belong here: one exchange (``client``), which texts are due and what may be spent (``reader``).

What becomes of a text, in paid answers: its request (two answers when the first does not parse); where that gave
nothing for it, once more alone (again two at most); then it is `failed` with its reason. A later run asks it alone
again, until `MOST_ATTEMPTS` askings in all were of no use. A passing failure of the endpoint is no attempt: the text is
`queued`.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from math import ceil

from expansion_assets.tagging.llm.answer import find_answer, tags_of
from expansion_assets.tagging.llm.client import (
    PASSING,
    LlmClient,
    LlmUnavailableError,
    Reply,
    Tokens,
    refused_key,
)
from expansion_assets.tagging.llm.prices import Price
from expansion_assets.tagging.llm.prompt import local_id, messages_of, told_characters, version_of
from expansion_assets.tagging.redaction import Redacted, redact
from expansion_assets.tagging.schema import Batch, Paid, Tag, Text, TextReading

_ATTEMPTS_A_RUN = 2
# Requests without any answer, after the client's own retries, from which on the endpoint counts as gone.
_FAILURES_IN_A_ROW = 3
# A request at most, with the re-ask of an answer that does not parse.
_ASKINGS = 2
# So many texts barred with HTTP 403, and nothing answered: it is the key.
_FORBIDDEN_ALIKE = 2
_LONGEST_REQUEST = 40_000
"""Characters of texts in one request; a longer text goes alone."""


@dataclass(frozen=True)
class Asking:
    """Texts that share a request."""

    texts: tuple[Text, ...]
    request_id: str

    @property
    def is_alone(self) -> bool:
        """One text, whose failure is its own."""
        return len(self.texts) == 1


@dataclass
class _Account:
    """What a text has met in this run."""

    attempts: int = 0
    cost: float | None = 0.0


@dataclass
class _Run:
    """What a run has met so far."""

    spent: float = 0.0
    dearest: float = 1.0
    """The most that an answer has cost, in its estimates."""
    failures: int = 0
    """Requests in a row that say that the endpoint is gone."""
    has_answers: bool = False
    forbidden: list[Asking] = field(default_factory=list)
    """Barred with HTTP 403 before anything was answered: by the key, or by moderation."""

    @property
    def is_gone(self) -> bool:
        """The endpoint does not answer any more."""
        return self.failures >= _FAILURES_IN_A_ROW

    def settled(self, asking: Asking, reply: Reply, has_failed_before: bool) -> list[tuple[Asking, Reply]]:
        """Take note of a reply, and return all that can be settled now.

        An endpoint of another kind turns everything down; where it has answered others, or for a text that failed
        before, being turned down is the text's own.
        """
        self.has_answers = self.has_answers or bool(reply.paid)
        if reply.reason == "forbidden" and not self.has_answers:
            self.forbidden.append(asking)
            return []
        is_turned_down = reply.reason in ("turned_down", "forbidden")
        if reply.reason in PASSING or (is_turned_down and not self.has_answers and not has_failed_before):
            self.failures += 1
        elif not is_turned_down:
            self.failures = 0
        waited, self.forbidden = (self.forbidden, []) if self.has_answers else ([], self.forbidden)
        return [(asking, reply), *((one, Reply(None, "forbidden", ())) for one in waited)]

    def add(self, bills: Sequence[Paid], estimate: float) -> None:
        """Count what was paid for a request that was estimated so."""
        for bill in bills:
            self.spent += bill.cost or 0.0
            if bill.cost and estimate:
                self.dearest = max(self.dearest, bill.cost / estimate)


class LlmTagger:
    """Tags texts with one model under the present prompt."""

    def __init__(
        self, client: LlmClient, model: str, price: Price | None = None, *, batch_texts: int = 8, in_flight: int = 8,
        is_batch: bool = False, version: str | None = None,
    ) -> None:
        """Take a client, its model, what that costs, texts to a request, and requests in flight at most.

        `is_batch` is for answers that come through the Batch API, at its price and without a second asking.
        """
        self.client, self.model, self.price = client, model, price
        self.version, self.is_batch = version or version_of(model), is_batch
        self._batch_texts, self._in_flight = batch_texts, in_flight

    def tag(self, texts: Sequence[Text]) -> list[Tag]:
        """Return the tags of `texts`, in their order; a text that could not be read has none."""
        read = {
            reading.text.text_id: reading.tags
            for batch in self.read(texts)
            for reading in batch.readings
        }
        return [tag for text in texts for tag in read.get(text.text_id, ())]

    def read(self, texts: Sequence[Text], money: float | None = None) -> Iterator[Batch]:
        """Read texts; each batch comes as soon as its answer does, and is paid for.

        Args:
            texts: Texts to read; each comes back in exactly one batch.
            money: What may be spent, in the currency of the price; None is no limit. Requests are held back when those
                in flight might use it up, and the texts are queued.

        Raises:
            LlmUnavailableError: The endpoint refuses every request; what was answered before has come.
        """
        waiting = deque(self._group(texts))
        accounts = accounts_of(texts)
        run = _Run()
        unavailable: LlmUnavailableError | None = None
        flying: dict[Future[Reply], tuple[Asking, float]] = {}
        with ThreadPoolExecutor(self._in_flight) as pool:
            while waiting or flying:
                while waiting and len(flying) < self._in_flight and not unavailable and not run.is_gone:
                    if run.forbidden and flying:
                        break  # the next answer says whether it is the text or the key
                    asking, expected = waiting[0], self._most(waiting[0].texts, run)
                    reserved = sum(most for _, most in flying.values())
                    if money is not None and run.spent + reserved + expected > money:
                        break
                    waiting.popleft()
                    flying[pool.submit(self._ask, asking)] = asking, expected
                if not flying:
                    break
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                # What came while the batch before was stored makes one batch: one transaction for all of it.
                readings: list[TextReading] = []
                paid: list[Paid] = []
                for future in done:
                    asking, _ = flying.pop(future)
                    try:
                        reply = future.result()
                    except LlmUnavailableError as error:
                        unavailable = error
                        waiting.append(asking)
                        continue
                    has_failed_before = any(accounts[text.text_id].attempts for text in asking.texts)
                    for one, answer in run.settled(asking, reply, has_failed_before):
                        batch, again = self.settle(one, answer, accounts)
                        readings += batch.readings
                        paid += batch.paid
                        run.add(batch.paid, self.estimate(one.texts))
                        waiting.extend(again)
                    if len(run.forbidden) == _FORBIDDEN_ALIKE:
                        unavailable = refused_key(403)
                if readings or paid:
                    yield Batch(tuple(readings), tuple(paid))
        if unavailable or run.forbidden:
            raise unavailable or refused_key(403)
        left = [text for asking in waiting for text in asking.texts]
        if left:
            why = "endpoint_gone" if run.is_gone else "ceiling"
            yield Batch(tuple(
                TextReading(
                    text, self.version, "queued", reason=why, attempts=accounts[text.text_id].attempts,
                    cost=accounts[text.text_id].cost,
                )
                for text in left
            ))

    def settle(
        self, asking: Asking, reply: Reply, accounts: dict[str, _Account]
    ) -> tuple[Batch, list[Asking]]:
        """What came of a request: readings that are final, what it cost, and texts to ask again alone."""
        paid = tuple(
            Paid(
                request_id=f"{asking.request_id}-{number}" if number else asking.request_id,
                tagger_version=self.version, model=self.model, transport="batch" if self.is_batch else "live",
                outcome=tokens.outcome, texts=len(asking.texts), tokens_in=tokens.tokens_in,
                tokens_out=tokens.tokens_out, cost=self._cost(tokens, asking),
                currency=self.price.currency if self.price else None,
            )
            for number, tokens in enumerate(reply.paid)
        )
        readings, again = [], []
        for text in asking.texts:
            account = accounts[text.text_id]
            account.cost = _added(account.cost, [bill.cost for bill in paid], len(asking.texts))
            found = find_answer(reply.answer.texts, local_id(text)) if reply.answer else None
            reading = TextReading(
                text, self.version, attempts=account.attempts, cost=account.cost, request_id=asking.request_id
            )
            if found is not None:
                tags = tags_of(found, text, self._redacted(text), self.version)
                readings.append(replace(reading, tags=tags))
                continue
            reason = reply.reason or "left_out"
            if reason in PASSING:
                readings.append(replace(reading, status="queued", reason=reason))
                continue
            account.attempts += 1
            if account.attempts - text.attempts < _ATTEMPTS_A_RUN and not asking.is_alone and not self.is_batch:
                again.append(Asking((text,), _new_id()))
            else:
                readings.append(replace(reading, status="failed", reason=reason, attempts=account.attempts))
        return Batch(tuple(readings), paid), again

    def askings(self, texts: Sequence[Text]) -> list[Asking]:
        """The requests that carry `texts`."""
        return list(self._group(texts))

    def messages(self, asking: Asking) -> list[dict[str, str]]:
        """Messages of a request, redacted."""
        return messages_of([(text, self._redacted(text)) for text in asking.texts])

    def _ask(self, asking: Asking) -> Reply:
        return self.client.ask(self.model, self.messages(asking))

    def _cost(self, tokens: Tokens, asking: Asking) -> float | None:
        """As counted by the endpoint; as estimated where it does not count, lest a ceiling never be reached."""
        if self.price is None:
            return None
        counted = self.price.cost(tokens.tokens_in, tokens.tokens_out, is_batch=self.is_batch)
        return self.estimate(asking.texts) if counted is None else counted

    def _redacted(self, text: Text) -> Redacted:
        return redact(text.body, text.names)

    def estimate(self, texts: Sequence[Text]) -> float:
        """What one request with these texts will cost, rather too much; 0 where the model has no price."""
        if self.price is None:
            return 0.0
        lengths = [len(text.body) for text in texts]
        return self.price.estimate(lengths, len(texts), told_characters(), is_batch=self.is_batch)

    def _most(self, texts: Sequence[Text], run: _Run) -> float:
        """What a request may cost: asked again when its answer does not parse, as dear as the dearest so far."""
        return _ASKINGS * run.dearest * self.estimate(texts)

    def estimates(self, texts: Sequence[Text]) -> list[float]:
        """What each text will cost among its neighbours, its share of the instructions included."""
        if self.price is None:
            return [0.0] * len(texts)
        told = told_characters()
        shares = [ceil(told if text.attempts else told / self._batch_texts) for text in texts]  # who failed goes alone
        return [
            self.price.estimate([len(text.body) + share], 1, 0, is_batch=self.is_batch)
            for text, share in zip(texts, shares, strict=True)
        ]

    def _group(self, texts: Sequence[Text]) -> Iterator[Asking]:
        """Texts side by side up to the batch size and length; one that failed before goes alone."""
        group: list[Text] = []
        length = 0
        for text in texts:
            if text.attempts:
                yield Asking((text,), _new_id())
                continue
            if group and (len(group) == self._batch_texts or length + len(text.body) > _LONGEST_REQUEST):
                yield Asking(tuple(group), _new_id())
                group, length = [], 0
            group.append(text)
            length += len(text.body)
        if group:
            yield Asking(tuple(group), _new_id())


def accounts_of(texts: Sequence[Text]) -> dict[str, _Account]:
    """A fresh account for each text."""
    return {text.text_id: _Account(text.attempts) for text in texts}


def _new_id() -> str:
    return uuid.uuid4().hex


def _added(cost: float | None, bills: Sequence[float | None], texts: int) -> float | None:
    """A text's cost with its share of further bills; unpriced once, unpriced for good."""
    known = [bill for bill in bills if bill is not None]
    if cost is None or len(known) < len(bills):
        return None
    return cost + sum(known) / texts
