"""The people whom a text names: on record, greeted, signed, introduced, or speaking.

Belongs here: where names stand, however they are spelt. Does not belong here: what is taken out besides them
(``redaction``), who may be named in a text (``store/texts.py`` knows the account's people).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile

from expansion_assets.catalogue.reading import CATALOGUE_DIR, read_yaml
from expansion_assets.tagging.problems import load_problems
from expansion_assets.tagging.quotes import UNSPACED
from expansion_assets.tagging.turns import HEAD as TURN_HEAD

_CAPITALISED = r"[A-Z\u00c0-\u00de][\w'\u2019-]*[a-z\u00df-\u00ff]\.?"
_NAME = rf"{_CAPITALISED}(?:[ \t]+{_CAPITALISED}){{0,2}}"
_SPOKEN_NAME = re.compile(
    "|".join((
        rf"(?<!\w)(?:[Hh]i|HI|[Hh]ello|[Hh]ey|[Dd]ear)[ ,]+(?P<greeted>{_NAME})",
        r"(?:^|[\n.!?])[ \t]*(?i:(?:kind |best |warm |many )?(?:regards|wishes|thanks|cheers|sincerely|yours|best))"
        rf"[,.!\u2014-]*\s+(?P<signed>{_NAME})[ \t]*(?=$|\n|[,|])",
        rf"(?<!\w)(?:Mr|Mrs|Ms|Dr|Prof|Herr|Frau|Mme|M)\.?[ \t]+(?P<titled>{_NAME})",
        rf"(?<!\w)(?i:my name is|my name's|this is)[ \t]+(?P<introduced>{_NAME})(?=[ \t]+(?:from|at|here|with)\b)",
        rf"(?<!\w)(?i:my name is|my name's)[ \t]+(?P<named>{_NAME})",
        rf"^(?P<speaker>{_CAPITALISED}[ \t]+{_CAPITALISED})[ \t]*(?=:)",
    )),
    re.MULTILINE,
)
_WORDS = {key: frozenset(words.split()) for key, words in read_yaml(CATALOGUE_DIR / "names.yml").items()}
_NO_NAMES = _WORDS["no_names"]
_HEADINGS = _WORDS["headings"] | _NO_NAMES
_SHORTEST_PART = 3
_PARTICLES = frozenset((
    "al", "bin", "da", "de", "del", "den", "der", "di", "dos", "du", "el", "ibn", "la", "le", "ten", "ter", "van",
    "von", "y",
))
_LONGEST_SPEAKER = 4  # words
# Before a colon a word by itself must look like a name: "SAML:" and "TypeError:" do not.
_LONE_NAME = re.compile(r"(?:Mc|Mac|De|Le|O'|D')?[A-Z][a-z']+\.?(?:-[A-Z][a-z']+)*")
_UNSPACED = re.compile(rf"[{UNSPACED}]+")
_LETTERS_AS_ONE = 5  # "anneli" may be Anne Li, "also" is not Al So

# Letters that carry their stroke inside, and marks that are typed in many ways.
_PLAIN = str.maketrans({
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "ħ": "h", "Ħ": "H",
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u2032": "'", "\u00b4": "'", "`": "'",
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2212": "-",
    "\u00ad": "", "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "",
})  # fmt: skip
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "å": "aa", "Å": "Aa"})


def people_in(body: str, names: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield where in `body` names on record stand, names where a text shows one, and speakers; they may overlap.

    All are looked for without accents. Of `names`, whole ones and their parts are found in any case; parts that are
    words, too ("mark", "rose"), where they are capitalised or follow an @.
    """
    folded = fold(body)
    if names and (known := _known_names(names)):
        for match in known.finditer(folded.text):
            yield folded.slice(*match.span())
    for match in _SPOKEN_NAME.finditer(folded.text):
        group = match.lastgroup or 0
        words = match[group].casefold().split()
        if not _NO_NAMES.intersection(words) and not (group == "speaker" and words[0] in _HEADINGS):
            yield folded.slice(*match.span(group))
    for match in TURN_HEAD.finditer(folded.text):
        if span := _speaker(match):
            yield folded.slice(*span)


def _speaker(head: re.Match[str]) -> tuple[int, int] | None:
    """Where the name stands in the head of a turn; None where a paragraph's heading or a role stands there.

    "Ravi Shah (Acme)" keeps the company, for whose side speaks is in it; "Customer - Ravi Shah" keeps the role.
    """
    first, *others = re.finditer(r"(?:(?!\(| -+ ).)+", head["speaker"])
    is_role = bool(others) and all(map(_is_heading, first[0].split()))
    part = others[0] if is_role else first
    name = _speaking(part[0], head[0])
    at = head.start("speaker") + part.start()
    return (at + name[0], at + name[1]) if name else None


def _speaking(who: str, head: str) -> tuple[int, int] | None:
    """The name in `who`: "Agent Smith" without the role, "Larry Page" whole."""
    words = list(re.finditer(r"[^\s/&()]+(?<!-)", who))
    if len(words) > _LONGEST_SPEAKER or not all(word[0][0].isupper() or word[0] in _PARTICLES for word in words):
        return None
    people = list(dropwhile(lambda word: _is_heading(word[0]), words))
    while people and (_is_role(people[-1][0]) or people[-1][0] in _PARTICLES):
        people.pop()
    if not people:
        return None
    # With a time a turn is certain; without one a lone word must look like a name and be no tool.
    is_certain = len(words) > 1 or bool(re.search(r"\d:\d\d", head))
    if not is_certain and (not _LONE_NAME.fullmatch(who.strip()) or load_problems().tool_in(who)):
        return None
    return people[0].start(), people[-1].end()


def _is_heading(word: str) -> bool:
    return word.isdigit() or word.strip(".'-").casefold() in _HEADINGS


@dataclass(frozen=True, slots=True)
class Folded:
    """A text without accents, and where in the original each of its characters comes from."""

    text: str
    starts: list[int] | range
    ends: list[int] | range

    def slice(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the original of whole characters, accents of the last one included."""
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """Return `text` in letters without accents, however they are composed; case stays."""
    if text.isascii():
        return Folded(text.replace("`", "'"), range(len(text)), range(1, len(text) + 1))
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for at, character in enumerate(text):
        plain = unicodedata.normalize("NFKD", character.translate(_PLAIN)).translate(_PLAIN)
        kept = [part for part in plain if not unicodedata.combining(part)]
        if not kept and ends:
            ends[-1] = at + 1
        characters += kept
        starts += [at] * len(kept)
        ends += [at + 1] * len(kept)
    return Folded("".join(characters), starts, ends)


@lru_cache(maxsize=1024)
def _known_names(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """One pattern, for folded text, of whole names and their parts."""
    spelt = dict.fromkeys(fold(way).text for name in names for way in (name, _with_e(name)))
    wholes: set[str] = set()
    anyhow: set[str] = set()
    capitalised: set[str] = set()
    for name in spelt:
        words = [word for word in re.split(r"[\s,._()\"]+", name) if any(map(str.isalnum, word))]
        if len(words) > 1 and not all(map(_is_role, words)):
            wholes.update(_joined(order) for order in (words, [words[0], words[-1]], [words[-1], words[0]]))
        for word in words:
            pieces = _pieces(word)
            if len(pieces) > 1 and not all(map(_is_role, pieces)):
                wholes.add(_joined([word]))
            for piece in filter(_is_part, pieces):
                is_word = len(piece) < _SHORTEST_PART or piece.casefold() in _WORDS["names_and_words"]
                (capitalised if is_word else anyhow).add(piece)
    unspaced = {word for word in anyhow if _UNSPACED.fullmatch(word)}
    titled = {way for word in capitalised for way in _capitalised(word)}
    edge, end = r"(?<![^\W_])", r"(?![^\W_]|'t\b)"  # "Don't" and "can't" name neither Don nor Can
    ways = [
        *(rf"{edge}(?i:{_any(known)}){end}" for known in (wholes, set(map(re.escape, anyhow - unspaced))) if known),
        *(rf"{edge}(?:{_any(set(map(re.escape, known)))}){end}" for known in (titled,) if known),
        *(rf"(?<=@)(?i:{_any(set(map(re.escape, known)))}){end}" for known in (capitalised,) if known),
        *(_any(set(map(re.escape, known))) for known in (unspaced,) if known),
    ]
    return re.compile("|".join(ways)) if ways else None


def _any(patterns: set[str]) -> str:
    return "|".join(sorted(patterns, key=lambda pattern: (-len(pattern), pattern)))


def _with_e(name: str) -> str:
    """Müller as Mueller, as an address spells it."""
    return unicodedata.normalize("NFC", name).translate(_UMLAUTS)


def _pieces(word: str) -> list[str]:
    return [piece for piece in re.split("[-']", word) if piece]


def _joined(words: list[str]) -> str:
    """Words in this order with whatever stands between them: Jane_Miller, jane.miller, O Neil, AnneMarie."""
    pieces = [piece for word in words for piece in _pieces(word)]
    as_one = sum(map(len, pieces)) >= _LETTERS_AS_ONE
    between = r"\s*+[.,_'-]?+\s*+" if as_one else r"(?:\s++[.,_'-]?+\s*+|[.,_'-]\s*+)"
    return between.join(map(re.escape, pieces))


def _is_role(word: str) -> bool:
    return word.casefold() in _NO_NAMES


def _is_part(piece: str) -> bool:
    """Whether a part of a name stands for the person by itself."""
    if not piece[0].isalpha() or _is_role(piece):
        return False
    if _UNSPACED.fullmatch(piece):
        return len(unicodedata.normalize("NFC", piece)) > 1
    return len(piece) >= _SHORTEST_PART or (len(piece) > 1 and piece.casefold() not in _WORDS["short_words"])


def _capitalised(word: str) -> tuple[str, ...]:
    """How a name is spelt that is a word in lower case; in two capitals it would be an abbreviation."""
    ways = (word.title(), word[0].upper() + word[1:], word.upper())
    return ways[:1] if len(word) < _SHORTEST_PART else ways
