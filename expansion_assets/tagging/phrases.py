"""The phrase list: word groups for the model, and cues for polarity and intent.

Belongs here: reading `phrases.yml` and matching it. Does not belong here: any decision on a label, which the
model learns. Cues are narrow on purpose: a missed cue leaves a tag affirmed, a wrong one hides a true tag.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from expansion_assets.tagging.schema import Intent, Label, Polarity

PHRASES_PATH = Path(__file__).with_name("phrases.yml")
_WORD = re.compile(r"[a-z0-9&](?:[a-z0-9'&-]*[a-z0-9&])?|'d")


def words_of(text: str) -> list[str]:
    """Return the lower-case words of `text`, apostrophes straightened."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


_Entry = tuple[str, tuple[str, ...]]
"""A concept, and the patterns of the words that must follow."""


@dataclass(frozen=True, slots=True)
class _After:
    """What a word may be the first of: concepts with the patterns that the words after it must have."""

    alone: tuple[str, ...]
    """Concepts of the word by itself."""
    by_next: Mapping[str, Sequence[_Entry]]
    """The word after it, where the entry gives it in full -> concept and the patterns after that."""
    open: Sequence[_Entry]
    """Concept and the patterns after the word, where the first of them is open-ended."""


class _Cache(dict[str, _After | None]):
    """Words looked up once; most are of no entry."""

    def __init__(self, look_up: Callable[[str], _After | None]) -> None:
        self._look_up = look_up

    def __missing__(self, word: str) -> _After | None:
        self[word] = after = self._look_up(word)
        return after


class Lexicon:
    """Word groups (concepts) matched on tokens: one or two dictionary look-ups per word, whatever the list's length."""

    def __init__(self, groups: Mapping[str, str]) -> None:
        """Take concept -> comma separated entries of 1-4 words, a trailing `*` matching any ending."""
        self._exact: dict[str, list[_Entry]] = {}
        self._prefix: dict[str, list[_Entry]] = {}
        for concept, entries in groups.items():
            for entry in re.split(r",\s*", entries.strip()):
                head, *rest = entry.split()
                table = self._prefix if head.endswith("*") else self._exact
                table.setdefault(head.rstrip("*"), []).append((concept, tuple(rest)))
        self._after = _Cache(self._look_up)

    def concepts_in(self, words: Sequence[str]) -> list[str]:
        """Return the concept of every entry found in `words`; one that is found twice stands twice."""
        found: list[str] = []
        for at, after in enumerate(map(self._after.__getitem__, words)):
            if after is None:
                continue
            found += after.alone
            following = words[at + 1] if at + 1 < len(words) else ""
            found += [concept for concept, rest in after.by_next.get(following, ()) if _follows(words, at + 2, rest)]
            found += [concept for concept, rest in after.open if _follows(words, at + 1, rest)]
        return found

    def _look_up(self, word: str) -> _After | None:
        heads = [word[:end] for end in range(2, len(word) + 1)]
        entries = [*self._exact.get(word, ()), *(entry for head in heads for entry in self._prefix.get(head, ()))]
        if not entries:
            return None
        longer = [(concept, rest) for concept, rest in entries if rest]
        by_next: dict[str, list[_Entry]] = {}
        for concept, rest in longer:
            if not rest[0].endswith("*"):
                by_next.setdefault(rest[0], []).append((concept, rest[1:]))
        alone = tuple(concept for concept, rest in entries if not rest)
        return _After(alone, by_next, [(concept, rest) for concept, rest in longer if rest[0].endswith("*")])


def _follows(words: Sequence[str], start: int, rest: tuple[str, ...]) -> bool:
    if start + len(rest) > len(words):
        return False
    for word, pattern in zip(words[start:], rest, strict=False):
        if not (word.startswith(pattern[:-1]) if pattern[-1] == "*" else word == pattern):
            return False
    return True


@cache
def load_phrases() -> dict[str, Any]:
    """Return `phrases.yml` as read."""
    return yaml.safe_load(PHRASES_PATH.read_text(encoding="utf-8"))


@cache
def load_lexicon() -> Lexicon:
    """Return the concepts of `phrases.yml`, ready to match."""
    return Lexicon(load_phrases()["concepts"])


@cache
def _cues(section: str) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    return {
        label: [(name, re.compile("|".join(patterns), re.IGNORECASE)) for name, patterns in cues.items()]
        for label, cues in load_phrases()[section].items()
    }


def polarity_of(label: Label, quote: str, speaker_side: str) -> Polarity:
    """Predict how `quote` stands behind `label`: what the vendor says is always `vendor_side`."""
    if speaker_side == "vendor":
        return "vendor_side"
    return cast(Polarity, _first_cue("polarity", label, quote) or "affirmed")


def intent_of(label: Label, quote: str) -> Intent:
    """Place `quote` on the intent scale; without a cue, at the label's default."""
    return cast(Intent, _first_cue("intent", label, quote) or load_phrases()["default_intent"][label])


def _first_cue(section: str, label: Label, quote: str) -> str | None:
    straight = quote.replace("\u2019", "'")
    cues = _cues(section)
    for name, pattern in (*cues.get(label, ()), *cues.get("any", ())):
        if pattern.search(straight):
            return name
    return None
