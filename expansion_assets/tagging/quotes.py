"""Proof that a quote stands in a text, and the sentences a quote can be made of.

Belongs here: offsets into the stored text. Does not belong here: which sentence deserves to be quoted.
"""

import re
import unicodedata
from dataclasses import dataclass

_FOLDED = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
    }
)  # fmt: skip
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_LINE_JOIN = re.compile(r"(?<=\w)[-\u2010]\r?\n[ \t]*(?=[a-z])")  # a word broken over two lines
# Scripts that put no spaces between words, or none within a word and what belongs to it: Thai, Lao, Burmese, Khmer,
# Korean (also taken apart into its letters), Japanese, Chinese.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\uac00-\ud7a3\u3040-\u30ff\u3400-\u9fff"
_IN_UNSPACED = re.compile(f"[{UNSPACED}]")
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])[\"'\u2019\u201d)\]]*\s+|\s*[\r\n]+\s*|\s+\u2014\s+")


@dataclass(frozen=True, slots=True)
class Span:
    """A true slice of a stored text: `body[start:end] == text`."""

    text: str
    start: int
    end: int


def split_sentences(body: str) -> list[Span]:
    """Return the sentences (or turns, lines, subject and body of a ticket) of `body`, in order, with offsets."""
    bounds = [0, *(edge for end in _SENTENCE_END.finditer(body) for edge in (end.start(), end.end())), len(body)]
    spans = []
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        text = body[start:end].strip()
        if text:
            first = body.index(text, start)
            spans.append(Span(text, first, first + len(text)))
    return spans


def find_quotes(body: str, quote: str) -> list[Span]:
    """Find all places of `quote` in `body`, blind to curly quotes, dashes, white space and broken lines.

    Returns true slices of `body` (never the quote as it was handed in), of whole words: "api" is not in "rapid".
    """
    wanted, _ = _fold(quote)
    wanted = wanted.strip()
    if not wanted:
        return []
    folded, origin = _fold(body)
    found: list[Span] = []
    at = folded.find(wanted)
    while at >= 0:
        after = at + len(wanted)
        if not _is_within_word(folded, at) and not _is_within_word(folded, after):
            start, end = origin[at], origin[after - 1] + 1
            found.append(Span(body[start:end], start, end))
        at = folded.find(wanted, at + 1)
    return found


def find_quote(body: str, quote: str) -> Span | None:
    """Find the first place of `quote` in `body`, or None: see :func:`find_quotes`."""
    return next(iter(find_quotes(body, quote)), None)


def _is_within_word(text: str, at: int) -> bool:
    """Whether a word goes on over the edge before `at`, in a script that puts spaces between words."""
    return 0 < at < len(text) and all(
        unicodedata.category(character)[0] in "LMN" and not _IN_UNSPACED.match(character)
        for character in text[at - 1 : at + 1]
    )


def _fold(text: str) -> tuple[str, list[int]]:
    """Return folded characters and, for each, its index in `text`."""
    joined = {at for match in _LINE_JOIN.finditer(text) for at in range(*match.span())}
    characters: list[str] = []
    origin: list[int] = []
    for at, character in enumerate(text):
        if at in joined or character in _INVISIBLE:
            continue
        folded = " " if character.isspace() else character.translate(_FOLDED)
        if folded == " " and characters and characters[-1] == " ":
            continue
        characters.append(folded)
        origin.append(at)
    return "".join(characters), origin
