"""The words and rows of text tagging: closed labels, the text that goes in, the tag that comes out.

Belongs here: literals and frozen rows shared by every tagger. Does not belong here: how a tag is found.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Label = Literal["advanced_intent", "basic_intent", "adjacent_use", "role_change", "cross_team", "usage_limit"]
Intent = Literal["declared", "blocked_now", "evaluating", "curious", "structural"]
Polarity = Literal["affirmed", "negated", "hypothetical", "quoted", "vendor_side"]
SpeakerSide = Literal["customer", "vendor", "unknown"]
ReadingStatus = Literal["read", "spared", "failed", "queued", "submitted"]

LABELS: tuple[Label, ...] = get_args(Label)
TRIGGER_LABELS: tuple[Label, ...] = tuple(label for label in LABELS if label != "basic_intent")
INTENTS: tuple[Intent, ...] = get_args(Intent)
POLARITIES: tuple[Polarity, ...] = get_args(Polarity)
READING_STATUSES: tuple[ReadingStatus, ...] = get_args(ReadingStatus)
# Askings of one text that were of no use, over all runs; then it stays failed until text, prompt or model change.
MOST_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Text:
    """One text to tag, as stored in `features.texts`."""

    text_id: str
    content_hash: str
    kind: str
    speaker_side: str
    body: str
    names: tuple[str, ...] = ()
    """Names of people whom the text may mention: taken out before it leaves the machine."""
    vendor_names: tuple[str, ...] = ()
    """Names of the vendor's people: who of them speaks in a conversation speaks for the vendor."""
    attempts: int = 0
    """Answers already paid for in earlier runs that were of no use."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One row of `text.tags`. `quote` is the slice `body[quote_start:quote_end]` when `is_quote_found`."""

    tag_id: str
    text_id: str
    content_hash: str
    tagger_version: str
    label: Label
    problem_key: str | None
    tool: str | None
    probability: float
    polarity: Polarity
    intent: Intent
    quote: str
    quote_start: int | None
    quote_end: int | None
    is_quote_found: bool
    is_unsure: bool = False
    """Likelier than nothing, but under the bar: kept for a second look, counts nowhere."""


@dataclass(frozen=True, slots=True)
class TextReading:
    """What came of one text: one row of `text.readings`, with its tags."""

    text: Text
    tagger_version: str
    status: ReadingStatus = "read"
    """`read`; `spared`: nothing in it, or foreign; `failed`: no useful answer; `queued`; `submitted`: in a job."""
    tags: tuple[Tag, ...] = ()
    reason: str | None = None
    attempts: int = 0
    """Paid answers that were of no use, over all runs."""
    request_id: str | None = None
    """The request that answered, or that will."""
    cost: float | None = 0.0
    """The text's share of what was paid; None where the model has no price."""
    stands_in_for: str | None = None
    """The tagger that was wanted, where the ceiling put another in its place."""
    sent_hash: str | None = None
    """Of a submitted text: hash of what left the machine, for a quote is proven against the same or not at all."""


@dataclass(frozen=True, slots=True)
class Paid:
    """One answer of an endpoint: one row of `text.usage`. Tokens are None where the endpoint did not count them."""

    request_id: str
    tagger_version: str
    model: str
    transport: Literal["live", "batch"]
    outcome: str
    texts: int
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A job of the Batch API: one row of `text.batch_jobs`."""

    job_key: str
    tagger_version: str
    model: str
    status: Literal["preparing", "submitted", "collected", "failed"]
    requests: int
    texts: int
    estimate: float | None = None
    batch_id: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that was not collected yet, with its texts as they were submitted."""

    job: BatchJob
    submitted: tuple[TextReading, ...]
    gone: frozenset[str] = frozenset()
    """Ids of texts that are no longer what they were."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings that belong together with what they cost: stored at once or not at all."""

    readings: tuple[TextReading, ...] = ()
    paid: tuple[Paid, ...] = ()
    job: BatchJob | None = None
    """The job as it stands now."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with some of a run's texts, and what that will cost: one row of `text.spending`."""

    step: str
    texts: int
    tagger_version: str | None
    estimate: float | None
    ceiling: float | None
    currency: str | None
