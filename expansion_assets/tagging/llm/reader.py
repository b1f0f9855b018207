"""Reading what is due with a language model: spare, decide, ask, and let another stand in where money ends.

Belongs here: the order of these steps for one run. Does not belong here: one request (``tagger``), the decision
(``ceiling``), the warehouse (``store/texts.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from expansion_assets.tagging.llm.batches import collect, submit
from expansion_assets.tagging.llm.ceiling import Offer, Share, Step, decide
from expansion_assets.tagging.llm.client import LlmUnavailableError
from expansion_assets.tagging.llm.prices import price_of
from expansion_assets.tagging.llm.tagger import LlmTagger
from expansion_assets.tagging.schema import Batch, Decision, OpenJob, Text, TextReading
from expansion_assets.tagging.tagger import Tagger, read_at_once

# Instructions and shape of the answer are as long as 20 ordinary tickets: 32 texts to a request instead of 8 save a
# quarter of the whole price.
BIGGER = 4
_STAND_IN_BATCH = 500


@dataclass(frozen=True)
class Way:
    """A paid step and the tagger that takes it."""

    step: Step
    tagger: LlmTagger


class LlmReader:
    """Reads the texts of a run."""

    sends_texts = True

    def __init__(
        self, ways: Sequence[Way], stand_in: Callable[[], Tagger] | None = None,
        is_empty: Callable[[Sequence[Text]], list[bool]] | None = None, ceiling: float | None = None,
    ) -> None:
        """Take the paid ways, mildest first, what stands in for them, what has nothing in it, and the month's ceiling.

        Raises:
            LlmUnavailableError: There is a ceiling and a model without a price, or prices in two currencies.
        """
        if ceiling is not None:
            _check_prices([way.tagger for way in ways])
        self.ways, self.ceiling = tuple(ways), ceiling
        self.version = ways[0].tagger.version
        self.decisions: Sequence[Decision] = ()
        self._stand_in, self._is_empty = stand_in, is_empty

    def read(self, texts: Sequence[Text], spent: float = 0.0) -> Iterator[Batch]:
        """Read texts, each in exactly one batch, stored or not by the time of the next; `spent` is the month's so far.

        Raises:
            LlmUnavailableError: see ``LlmTagger.read``.
        """
        spared, waiting = self.spare(texts)
        money = None if self.ceiling is None else max(self.ceiling - spent, 0.0)
        shares = self.plan(waiting, money)
        self.decisions = [self._decision(share) for share in shares]
        if spared:
            yield Batch(tuple(TextReading(text, self.version, "spared", reason="nothing_in_it") for text in spared))
        at = 0
        for share in shares:
            some, at = waiting[at : at + share.texts], at + share.texts
            way = self._way(share.step)
            if way is None:
                yield from self._unpaid(some)
                continue
            if way.tagger.is_batch:
                yield from submit(way.tagger, some, self.version)
                continue
            held_back: list[Text] = []
            for batch in way.tagger.read(some, money):
                held_back += [reading.text for reading in batch.readings if reading.reason == "ceiling"]
                kept = tuple(self._wanted(reading) for reading in batch.readings if reading.reason != "ceiling")
                if kept or batch.paid:
                    yield Batch(kept, batch.paid)
            yield from self._unpaid(held_back)

    def collect(self, jobs: Sequence[OpenJob]) -> Iterator[Batch]:
        """Go on with jobs of the Batch API that were not collected yet, whatever model and prompt they are of."""
        client = self.ways[0].tagger.client
        for job in jobs:
            model = job.job.model
            tagger = LlmTagger(client, model, price_of(model), is_batch=True, version=job.job.tagger_version)
            yield from collect(tagger, job)

    def spare(self, texts: Sequence[Text]) -> tuple[list[Text], list[Text]]:
        """Texts with nothing in them, and the others; a text that was asked for before is not looked at again."""
        empty = self._is_empty(texts) if self._is_empty and texts else [False] * len(texts)
        is_spared = [is_empty and not text.attempts for text, is_empty in zip(texts, empty, strict=True)]
        pairs = list(zip(texts, is_spared, strict=True))
        return [text for text, spared in pairs if spared], [text for text, spared in pairs if not spared]

    def plan(self, texts: Sequence[Text], money: float | None) -> list[Share]:
        """What is done with texts that are worth sending."""
        offers = [Offer(way.step, way.tagger.estimates(texts)) for way in self.ways]
        return decide(money, offers, "embedded" if self._stand_in else "queue")

    def _way(self, step: Step) -> Way | None:
        return next((way for way in self.ways if way.step == step), None)

    def _decision(self, share: Share) -> Decision:
        price = self.ways[0].tagger.price
        way = self._way(share.step)
        version = way.tagger.version if way else self._stand_in().version if self._stand_in else None
        estimate = share.estimate if price or way is None else None
        return Decision(
            share.step, share.texts, version, estimate, self.ceiling, price.currency if price else None
        )

    def _wanted(self, reading: TextReading) -> TextReading:
        is_wanted = reading.tagger_version == self.version
        return reading if is_wanted else replace(reading, stands_in_for=self.version)

    def _unpaid(self, texts: Sequence[Text]) -> Iterator[Batch]:
        if self._stand_in is None:
            if texts:
                left = (TextReading(text, self.version, "queued", (), "ceiling", text.attempts) for text in texts)
                yield Batch(tuple(left))
            return
        for at in range(0, len(texts), _STAND_IN_BATCH):
            some = texts[at : at + _STAND_IN_BATCH]
            yield read_at_once(self._stand_in(), some, stands_in_for=self.version)


def _check_prices(taggers: Sequence[LlmTagger]) -> None:
    unpriced = sorted({tagger.model for tagger in taggers if tagger.price is None})
    if unpriced:
        raise LlmUnavailableError(
            f"EXPANSION_LLM_MONTHLY_CEILING is set, but {', '.join(unpriced)} has no price: add it to "
            "catalogue/prices.yml or unset the ceiling"
        )
    if len({tagger.price.currency for tagger in taggers if tagger.price}) > 1:
        raise LlmUnavailableError("the model and the cheaper model are priced in two currencies: one ceiling is in one")
