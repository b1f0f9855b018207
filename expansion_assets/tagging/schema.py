"""The words and rows of text tagging: closed labels, the text that goes in, the tag that comes out.

Belongs here: literals and frozen rows shared by every tagger. Does not belong here: how a tag is found.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Label = Literal["advanced_intent", "basic_intent", "adjacent_use", "role_change", "cross_team", "usage_limit"]
Intent = Literal["declared", "blocked_now", "evaluating", "curious", "structural"]
Polarity = Literal["affirmed", "negated", "hypothetical", "quoted", "vendor_side"]
SpeakerSide = Literal["customer", "vendor", "unknown"]

LABELS: tuple[Label, ...] = get_args(Label)
TRIGGER_LABELS: tuple[Label, ...] = tuple(label for label in LABELS if label != "basic_intent")
INTENTS: tuple[Intent, ...] = get_args(Intent)
POLARITIES: tuple[Polarity, ...] = get_args(Polarity)


@dataclass(frozen=True, slots=True)
class Text:
    """One text to tag, as stored in `features.texts`."""

    text_id: str
    content_hash: str
    kind: str
    speaker_side: str
    body: str


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
