"""The phrase list: word groups for the model, and cues for polarity and intent.

Belongs here: reading `phrases.yml` and matching it. Does not belong here: any decision on a label, which the
model learns. Cues are narrow on purpose: a missed cue leaves a tag affirmed, a wrong one hides a true tag.
"""

import re
from collections.abc import Mapping
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


Entry = tuple[str, tuple[str, ...]]
"""A concept and the words that must follow the first one."""


class Lexicon:
    """Word groups (concepts) matched on tokens: one dictionary look-up per word, whatever the list's length."""

    def __init__(self, groups: Mapping[str, str]) -> None:
        """Take concept -> comma separated entries of 1-4 words, a trailing `*` matching any ending."""
        self._exact: dict[str, list[Entry]] = {}
        self._prefix: dict[str, list[Entry]] = {}
        for concept, entries in groups.items():
            for entry in re.split(r",\s*", entries.strip()):
                head, *rest = entry.split()
                table = self._prefix if head.endswith("*") else self._exact
                table.setdefault(head.rstrip("*"), []).append((concept, tuple(rest)))
        self._entries: dict[str, tuple[Entry, ...]] = {}

    def matches(self, words: list[str]) -> list[tuple[int, str, int]]:
        """Return (position, concept, number of words) of every entry found in `words`, by position."""
        found = []
        for at, word in enumerate(words):
            entries = self._entries.get(word)
            if entries is None:
                entries = self._entries[word] = self._entries_from(word)
            for concept, rest in entries:
                if not rest or _follows(words, at + 1, rest):
                    found.append((at, concept, len(rest) + 1))
        return found

    def _entries_from(self, word: str) -> tuple[Entry, ...]:
        heads = (word[:end] for end in range(2, len(word) + 1))
        return (*self._exact.get(word, ()), *(entry for head in heads for entry in self._prefix.get(head, ())))


def _follows(words: list[str], start: int, rest: tuple[str, ...]) -> bool:
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
