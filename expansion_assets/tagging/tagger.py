"""What every tagger offers, and the choice among them.

Belongs here: the interfaces and the one place that knows taggers by name. Does not belong here: how any of them works.
Nothing of a tagger is imported before it is chosen: scikit-learn takes a second, instructor and openai two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from expansion_assets.settings import PROJECT_DIR, Settings
from expansion_assets.tagging.languages import LANGUAGE, foreign_language
from expansion_assets.tagging.schema import Batch, Decision, OpenJob, Tag, Text, TextReading

if TYPE_CHECKING:
    from expansion_assets.tagging.network import NetworkFiles

TRAINING_LINES = PROJECT_DIR / "data" / "labelled_texts.jsonl"
HOLDOUT_LINES = TRAINING_LINES.with_name("labelled_holdout.jsonl")
REVIEWED_TEXTS = "reviewed_texts.jsonl"
# One for all workspaces: it holds no customer's words.
SHIPPED_MODEL = PROJECT_DIR / "data" / "model"
# A batch is lost at most when a run is killed; 500 texts are a second or two of the embedded tagger.
_BATCH_TEXTS = 500


class TaggerUnavailableError(RuntimeError):
    """The tagger asked for lacks what it needs to run."""


class Tagger(Protocol):
    """Reads texts and returns tags with proven quotes."""

    version: str
    """Changes whenever the same text could get other tags: part of every tag's key."""

    def tag(self, texts: Sequence[Text]) -> list[Tag]:
        """Return the tags of `texts`, in their order; a text may have none."""
        ...


class Reader(Protocol):
    """Reads the texts that are due in a run, batch by batch."""

    version: str
    """The tagger that is wanted; a text that it read, or another in its stead, is not due again."""
    sends_texts: bool
    """Texts leave the machine: it needs the names that they may hold, to take them out."""
    decisions: Sequence[Decision]
    """What was decided about spending; filled before the first batch comes."""

    def read(self, texts: Sequence[Text], spent: float = 0.0) -> Iterator[Batch]:
        """Yield each text in exactly one batch; `spent` is what the month has cost before.

        A batch has to be stored by the time that the next is asked for.
        """
        ...

    def collect(self, jobs: Sequence[OpenJob]) -> Iterator[Batch]:
        """Yield what has come of jobs that earlier runs submitted."""
        ...


class PlainReader:
    """A tagger that costs nothing and always answers."""

    sends_texts = False
    decisions: Sequence[Decision] = ()

    def __init__(self, tagger: Tagger, stands_in_for: str | None = None) -> None:
        """Take the tagger, and the version of the one that is wanted where it stands in."""
        self.tagger, self.version = tagger, stands_in_for or tagger.version
        self._stands_in_for = stands_in_for

    def read(self, texts: Sequence[Text], spent: float = 0.0) -> Iterator[Batch]:
        """Yield texts in batches."""
        for at in range(0, len(texts), _BATCH_TEXTS):
            yield read_at_once(self.tagger, texts[at : at + _BATCH_TEXTS], self._stands_in_for)

    def collect(self, jobs: Sequence[OpenJob]) -> Iterator[Batch]:
        """It submits none; those of another tagger wait until that is chosen again."""
        yield from ()


def read_at_once(tagger: Tagger, texts: Sequence[Text], stands_in_for: str | None = None) -> Batch:
    """Readings of a tagger that costs nothing, always answers, and reads English only."""
    found: dict[str, list[Tag]] = {text.text_id: [] for text in texts}
    for tag in tagger.tag(texts):
        found[tag.text_id].append(tag)
    return Batch(tuple(
        TextReading(
            text, tagger.version, "spared" if language else "read", tags=tuple(found[text.text_id]),
            reason=LANGUAGE + language if language else None, stands_in_for=stands_in_for,
        )
        for text in texts for language in [foreign_language(text.body)]
    ))


def choose_reader(settings: Settings) -> Reader:
    """Return the reader that the settings name, ready to use.

    A restatement pays for nothing: it has what the language model said of the past, and the embedded tagger reads the
    rest in its stead.

    Raises:
        TaggerUnavailableError: The training lines are missing.
        LlmUnavailableError: The language model lacks a key, or a price under a ceiling.
    """
    if settings.tagger == "llm" and settings.restated:
        from expansion_assets.tagging.llm.prompt import version_of

        return PlainReader(embedded_tagger(settings), stands_in_for=version_of(settings.llm_model))
    if settings.tagger == "llm":
        from expansion_assets.tagging.llm.choice import llm_reader

        return llm_reader(settings, lambda: embedded_tagger(settings))
    return PlainReader(embedded_tagger(settings))


def choose_tagger(settings: Settings) -> Tagger:
    """Return the tagger that the settings name, ready to use on texts outside a run.

    Raises:
        TaggerUnavailableError: The training lines are missing.
        LlmUnavailableError: The language model lacks a key.
    """
    if settings.tagger == "llm":
        from expansion_assets.tagging.llm.choice import llm_tagger

        return llm_tagger(settings)
    return embedded_tagger(settings)


def network_files(settings: Settings) -> NetworkFiles | None:
    """Return the network that the embedded tagger asks; none in its quick mode."""
    from expansion_assets.tagging.network import SHIPPED_NETWORK

    return None if settings.tagger_quick else SHIPPED_NETWORK


def embedded_tagger(settings: Settings, lines: Path = TRAINING_LINES) -> Tagger:
    """Return the embedded tagger: trained on `lines` and, where there are some, on the team's reviewed texts.

    Raises:
        TaggerUnavailableError: The training lines are missing.
    """
    from expansion_assets.tagging.embedded import Lessons, load_embedded_tagger

    if not lines.is_file():
        raise TaggerUnavailableError(f"tagger 'embedded' has no training lines: {lines.name} is missing")
    network = network_files(settings)
    reviewed = settings.tagger_dir / REVIEWED_TEXTS
    if reviewed.is_file():
        return load_embedded_tagger(Lessons((lines, reviewed), settings.tagger_dir, network))
    return load_embedded_tagger(Lessons((lines,), SHIPPED_MODEL, network))
