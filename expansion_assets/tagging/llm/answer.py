"""What a language model answers, and the tags made of it.

Belongs here: the shape asked for, what is forgiven, the proof of each quote. Does not belong here: asking.
One bad tag never discards another, one bad text never discards its neighbours: both are dropped where they stand.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model, model_validator

from expansion_assets.tagging.phrases import intent_of
from expansion_assets.tagging.problems import load_problems
from expansion_assets.tagging.quotes import UNSPACED, Span
from expansion_assets.tagging.redaction import Redacted
from expansion_assets.tagging.schema import Intent, Label, Polarity, Tag, Text
from expansion_assets.tagging.turns import side_at

_LONGEST_TOOL = 60
# What a model itself thinks likelier false than true is kept for a second look, and reaches nobody.
_SURE = 0.5
_LONGEST_UNPROVEN_QUOTE = 500
_FEWEST_WORDS, _LONG_WORD = 2, 8
# A character is a word where there are no spaces between them.
_WORD = re.compile(rf"[{UNSPACED}]|[^\W_]+")


class TagAnswer(BaseModel):
    """One tag."""

    model_config = ConfigDict(extra="ignore")

    label: Label
    quote: str = Field(min_length=1)
    polarity: Polarity
    intent: Intent | None = None
    problem: str | None = None
    tool: str | None = None
    probability: float = Field(ge=0, le=1)


class TextAnswer(BaseModel):
    """The tags of one text."""

    model_config = ConfigDict(extra="ignore")

    id: str
    tags: list[TagAnswer]


class Answer(BaseModel):
    """The tags of every text of a request."""

    model_config = ConfigDict(extra="ignore")

    texts: list[TextAnswer]


def _kept(model: type[BaseModel]) -> BeforeValidator:
    """Leave out the items of a list that break `model`; null is an empty list."""

    def keep(items: Any) -> Any:
        if items is None:
            return []
        if not isinstance(items, list):
            return items
        kept = []
        for item in items:
            try:
                kept.append(model.model_validate(item))
            except ValidationError:
                continue
        return kept

    return BeforeValidator(keep)


@cache
def answer_model() -> type[Answer]:
    """The shape that is asked for: closed labels and the problem keys of the taxonomy, forgiving item by item."""
    keys = (*load_problems().keys, None)
    known = BeforeValidator(lambda key: key if key in keys else None)
    key: Any = Annotated[Literal[keys], known]
    tag = create_model("Tag", __base__=TagAnswer, problem=(key, None))
    kept_tags: Any = Annotated[list[tag], _kept(tag)]  # type: ignore[valid-type]
    text = create_model("TextTags", __base__=TextAnswer, tags=(kept_tags, ...))

    class Answers(Answer):
        """Tags of each text."""

        texts: Annotated[list[text], _kept(text)]  # type: ignore[valid-type]

        @model_validator(mode="before")
        @classmethod
        def _bare_list(cls, value: Any) -> Any:
            return {"texts": value} if isinstance(value, list) else value

    return Answers


def tags_of(answer: TextAnswer, text: Text, redacted: Redacted, version: str) -> tuple[Tag, ...]:
    """Return the tags of an answered text, each with its quote proven against the stored text or marked as unproven.

    One tag per label, problem and proof: of several the one with the highest probability, proven before unproven.
    """
    best: dict[tuple[str, str | None], tuple[TagAnswer, Span | None, str | None]] = {}
    ranked = sorted(answer.tags, key=lambda tag: -tag.probability)
    proven = [(tag, _proof(tag, text, redacted)) for tag in ranked]
    for tag, span in sorted(proven, key=lambda pair: pair[1] is None):
        problem = (tag.problem or load_problems().problem_of(tag.quote, text.body)) if _is_adjacent(tag) else None
        best.setdefault((tag.label, problem), (tag, span, problem))
    return tuple(_tag(tag, span, problem, text, redacted, version) for tag, span, problem in best.values())


def _proof(tag: TagAnswer, text: Text, redacted: Redacted) -> Span | None:
    """Return where a quote stands, of several places one on the side that its polarity speaks of.

    One short word proves nothing: "a" stands in every text.
    """
    if len(_WORD.findall(tag.quote)) < _FEWEST_WORDS and len(tag.quote.strip()) < _LONG_WORD:
        return None

    def is_on_other_side(span: Span) -> bool:
        return (side_at(text, span) == "vendor") != (tag.polarity == "vendor_side")

    return min(redacted.find(text.body, tag.quote), key=is_on_other_side, default=None)


def find_answer(answers: Iterable[TextAnswer], wanted: str) -> TextAnswer | None:
    """The first answer for an id; others and those for unknown ids count for nothing."""
    return next((answer for answer in answers if answer.id == wanted), None)


def _is_adjacent(tag: TagAnswer) -> bool:
    return tag.label == "adjacent_use"


def _tag(
    answer: TagAnswer, span: Span | None, problem: str | None, text: Text, redacted: Redacted, version: str
) -> Tag:
    quote = span.text if span else answer.quote[:_LONGEST_UNPROVEN_QUOTE]
    key = "|".join((text.text_id, text.content_hash, version, answer.label, problem or ""))
    # A tool is named by the text or by nobody.
    tool = answer.tool.strip()[:_LONGEST_TOOL] if answer.tool and _is_adjacent(answer) else None
    return Tag(
        tag_id=hashlib.sha256(key.encode()).hexdigest()[:20],
        text_id=text.text_id,
        content_hash=text.content_hash,
        tagger_version=version,
        label=answer.label,
        problem_key=problem,
        tool=tool if tool and tool.casefold() in text.body.casefold() else None,
        probability=round(answer.probability, 4),
        # Who speaks is known, not guessed.
        polarity="vendor_side" if side_at(text, span) == "vendor" else answer.polarity,
        intent=answer.intent or intent_of(answer.label, quote),
        quote=quote,
        quote_start=span.start if span else None,
        quote_end=span.end if span else None,
        is_quote_found=span is not None,
        is_unsure=answer.probability < _SURE,
    )
