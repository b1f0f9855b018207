"""Long texts taken apart: the turns of a conversation that came as one text, and who speaks in each.

Belongs here: where a turn starts and ends, whose side its speaker is on. Does not belong here: reading a turn.

A transcript that arrives turn by turn says itself who speaks; this is for calls that were pasted whole into a note,
ticket threads with `Agent:` and `Customer:`, and for texts so long that one remark would drown in them.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from expansion_assets.tagging.quotes import Span, split_sentences
from expansion_assets.tagging.schema import Text

_TIME = r"[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?[\])]?"
# "Jane Miller: ", "**Jane (Acme):** ", "[00:12:03] Jane: ", or "Jane Miller  0:12" on a line of its own.
HEAD = re.compile(
    rf"^[ \t>*_#-]*(?:{_TIME}[ \t\u2013-]*)?"
    r"(?P<speaker>[A-Z\u00c0-\u00de][\w.'\u2019&/-]*(?:[ ][\w.'\u2019&/()-]+){0,4}?)"
    rf"(?:[ \t]*(?:{_TIME}[ \t]*)?[*_]*:[*_]*(?:[ \t]+|$)|[ \t]+{_TIME}[ \t]*$)",
    re.MULTILINE,
)
# "Subject:", "Expected:", "Pros:" head paragraphs, too; in a conversation somebody speaks twice.
_FEWEST_TURNS = 3
# The models have learned from texts of 30 to 620 characters.
LONGEST_PASSAGE = 600
_VENDOR_ROLES = re.compile(
    r"\b(?:agents?|support|csms?|customer success|account (?:manager|executive)|vendor|sales|rep|onboarding|ae)\b",
    re.IGNORECASE,
)
_CUSTOMER_ROLES = re.compile(r"\b(?:customer|client|user|prospect|requester|buyer)\b(?! success)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says at a stretch."""

    span: Span
    """Slice of the stored text, without the speaker's name."""
    side: str
    """`customer`, `vendor`, or `unknown`."""


def speaker_turns(body: str, vendor_names: Collection[str] = ()) -> list[Turn]:
    """Return the turns of a conversation; empty where `body` is none.

    A speaker is on the vendor's side by role ("Agent", "CSM") or by being named in `vendor_names`; where one of them
    is, the others are the customer's.
    """
    if body.count("\n") < _FEWEST_TURNS - 1:
        return []
    heads = list(HEAD.finditer(body))
    speakers = Counter(_folded(match["speaker"]) for match in heads)
    if len(heads) < _FEWEST_TURNS or len(speakers) < 2 or max(speakers.values()) < 2:
        return []
    names = {_folded(name) for name in vendor_names} | {_folded(name).split(" ")[0] for name in vendor_names if name}
    sides = {speaker: _side(speaker, names) for speaker in speakers}
    if "vendor" in sides.values():
        # "Note:" within a turn is no speaker; who speaks once is one where nobody else is left.
        others = [speaker for speaker, side in sides.items() if side == "unknown"]
        sides |= {speaker: "customer" for speaker in others if speakers[speaker] > 1 or len(others) == 1}
    ends = [match.start() for match in heads[1:]] + [len(body)]
    turns = [
        Turn(_stripped(body, match.end(), end), sides[_folded(match["speaker"])])
        for match, end in zip(heads, ends, strict=True)
    ]
    before = _stripped(body, 0, heads[0].start())
    return [turn for turn in [Turn(before, "unknown"), *turns] if turn.span.text]


def pieces_of(text: Text) -> list[tuple[Text, int]]:
    """Return the passages of a text, each with its speaker's side and where it starts; short texts have one.

    What nobody is known to say is on the side of the text.
    """
    whole = Turn(Span(text.body, 0, len(text.body)), text.speaker_side)
    return [
        (replace(text, body=passage.text, speaker_side=_known(turn.side, text)), passage.start)
        for turn in speaker_turns(text.body, text.vendor_names) or [whole]
        for passage in passages(turn.span, LONGEST_PASSAGE)
    ]


def side_at(text: Text, quote: Span | None) -> str:
    """Return the side of whoever says `quote`; of the text where it is not found."""
    turns = speaker_turns(text.body, text.vendor_names) if quote else []
    sides = [turn.side for turn in turns if quote and turn.span.start <= quote.start < turn.span.end]
    return _known(sides[0] if sides else "unknown", text)


def _known(side: str, text: Text) -> str:
    return text.speaker_side if side == "unknown" else side


def passages(span: Span, longest: int) -> list[Span]:
    """Cut a span at ends of sentences into slices of at most `longest` characters, a longer sentence kept whole."""
    if len(span.text) <= longest:
        return [span]
    cut: list[Span] = []
    start = end = span.start
    for sentence in split_sentences(span.text):
        if end > start and span.start + sentence.end - start > longest:
            cut.append(_slice(span, start, end))
            start = span.start + sentence.start
        end = span.start + sentence.end
    return [*cut, _slice(span, start, end)]


def _slice(span: Span, start: int, end: int) -> Span:
    return Span(span.text[start - span.start : end - span.start], start, end)


def _stripped(body: str, start: int, end: int) -> Span:
    text = body[start:end]
    first = start + len(text) - len(text.lstrip())
    return Span(text.strip(), first, first + len(text.strip()))


def _folded(speaker: str) -> str:
    return " ".join(speaker.split()).casefold()


def _side(speaker: str, vendor_names: Collection[str]) -> str:
    if _CUSTOMER_ROLES.search(speaker):
        return "customer"
    return "vendor" if speaker in vendor_names or _VENDOR_ROLES.search(speaker) else "unknown"
