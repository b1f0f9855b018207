"""What is taken out of a text before it leaves the machine, and how a quote finds its way back.

Belongs here: names, e-mail addresses, telephone and card numbers, keys; placeholders; offsets both ways. Does not
belong here: who may be named in a text (``store/texts.py`` knows the account's people).

A placeholder is stable within a text: the same value is `[EMAIL_1]` each time, so that what is said of it still holds
together. Offsets are kept, so a quote from the redacted text leads to a true slice of the stored one. Rather too much
than too little: what was taken out comes back with the quote, what was left in does not.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile

from expansion_assets.catalogue.reading import CATALOGUE_DIR, read_yaml
from expansion_assets.tagging.problems import load_problems
from expansion_assets.tagging.quotes import Span, find_quotes
from expansion_assets.tagging.turns import HEAD as TURN_HEAD

_EMAIL = re.compile(
    r"(?<![\w.+%'-])[\w.+%'-]+(?:@|\s?[\[({]\s?at\s?[\])}]\s?)[\w-]+(?:(?:\.|\s?[\[({]\s?dot\s?[\])}]\s?)[\w-]+)*",
    re.IGNORECASE,
)
_KEY = re.compile(
    "|".join((
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?",  # JSON web token
        r"\b(?:sk|pk|rk|whsec)[-_][\w-]{12,}",
        r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|hf_|npm_|dop_v1_|shpat_|SG\.)[\w.-]{10,}",
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"\bAIza[\w-]{30,}",
        r"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)",  # user:password in a URL
        r"(?i:(?<=bearer ))[\w.~+/-]{12,}=*",
        # After a word that announces one: password: hunter2, api_key=abc123, token is 9f8e.
        r"(?i:(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[ _-]?key|access[ _-]?key|private[ _-]?key)"
        r"(?:\s*[:=]\s*|\s+is\s+(?=\S*\d))[\"'`]?)(?P<announced>[^\s\"'`,;]{4,})",
        # Long and mixed: letters and digits in one run of 24 and more.
        r"(?<![\w/+-])(?=[\w+/-]*\d)(?=[\w+/-]*[A-Za-z])[\w+/-]{24,}={0,2}(?![\w/+-])",
    ))
)
_CARD_RUN = re.compile(r"\d(?:[ .\u00a0-]?\d){12,}")
_CARD_DIGITS = range(19, 12, -1)
_GAP = " .\u00a0\u2009\u202f"
_PHONE = re.compile(
    rf"(?<!\w)(?<!\d[.,])(?:(?:[+\uff0b]|00)[ ]?)?\(?\d(?:[{_GAP}()\-/\u2010-\u2015]{{0,3}}\d){{6,14}}(?!\w)"
)
# What has as many digits and is no telephone number: dates, and quantities with their thousands apart.
_DATE = re.compile(
    r"(?<!\d)(?<!\d[-./])(?:(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}(?!\d)"
    r"|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d(?!\d))"
)
_QUANTITY = re.compile(rf"(?<!\d)[1-9]\d{{0,2}}(?:[{_GAP}]\d{{3}})+(?![{_GAP}\-/]?\d)")
# Nothing that goes on after +, 00 or a leading 0 is a quantity or (after the first two) a date.
_ABROAD = re.compile(rf"(?:[+\uff0b]|(?<!\w)(?<!\d[.,:/-])00)[\d{_GAP}()\-/\u2010-\u2015]*$")
_DIALLED = re.compile(rf"(?:[+\uff0b]|(?<!\w)(?<!\d[.,:/-])0\)?\d)[\d{_GAP}()\-/\u2010-\u2015]*$")
# "612 345 678" is a Spanish mobile number as well as a quantity, and nothing in it tells which. It is taken for a
# quantity, of which texts about usage are full, unless a word before it or right behind it says that it is dialled.
# "reach" and "text" are such words with somebody to reach only: "we text 1 250 000 people".
_CUE_BEFORE = re.compile(
    r"\b(?:(?:reach|text|ring|contact|message)\s+(?:me|us|him|her|them)|tel(?:e(?:phone|fon)|[e\u00e9]fono)?|phone|ph"
    r"|call|dial|mob(?:ile|il)?|m[o\u00f3]vil|cell(?:phone)?|handy|fax|sms|whats ?app"
    r"|(?:my|his|her|their|our|direct) (?:number|line))"
    rf"(?:[\s.:,;=#()*_\u2013-]|\b(?:me|us|him|her|them|back|directly|on|at|is|under|via|number|no|nr|the|my|our"
    rf"|or|and)\b|\d[\d{_GAP}]*(?=\s*(?:/|or\b|and\b))|/)*$",
    re.IGNORECASE,
)
_CUE_BEHIND = re.compile(
    r"\s*(?:[(\[]\s*(?:mobile?|cell|phone|tel|fax|handy|home|work|office)\b|is (?:my|his|her|the) (?:\w+ )?number\b)",
    re.IGNORECASE,
)
_CUE_REACH = 60  # characters
_DIGITS = re.compile(r"\D")
_PLAIN_NUMBER_DIGITS = 9  # "1000000 rows" is a quantity, a bare run of nine digits and more is not

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
_UNSPACED = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff]+")  # scripts without spaces between words
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


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a redacted text and what it stands for: equal, or a placeholder."""

    start: int
    end: int
    body_start: int
    body_end: int
    is_placeholder: bool


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text as it may leave the machine."""

    text: str
    pieces: tuple[Piece, ...]
    """In order, without gaps, on both sides."""

    def restore(self, body: str) -> str:
        """The stored text again."""
        return "".join(body[piece.body_start : piece.body_end] for piece in self.pieces)

    def find(self, body: str, quote: str) -> list[Span]:
        """Find all places of a quote from the redacted text in `body`: true slices of it.

        A quote that begins or ends inside a placeholder takes the whole of what it stands for.
        """
        return [self._restored(body, found) for found in find_quotes(self.text, quote)]

    def _restored(self, body: str, found: Span) -> Span:
        touched = [piece for piece in self.pieces if piece.start < found.end and found.start < piece.end]
        first, last = touched[0], touched[-1]
        start = first.body_start + (0 if first.is_placeholder else found.start - first.start)
        end = last.body_end - (0 if last.is_placeholder else last.end - found.end)
        return Span(body[start:end], start, end)


def redact(body: str, names: tuple[str, ...] = ()) -> Redacted:
    """Take out of `body` what may not leave the machine.

    Args:
        body: The stored text.
        names: Names of people whom the text may mention. Whole ones and their parts are found in any case, with
            accents or without; parts that are words, too ("mark", "rose"), where they are capitalised or follow an @.
    """
    found = _disjoint(_finds(body, names))
    numbers: dict[tuple[str, str], str] = {}
    counts: dict[str, int] = {}
    pieces: list[Piece] = []
    text: list[str] = []
    at = length = 0

    def add(new: str, start: int, end: int, is_placeholder: bool) -> None:
        nonlocal length
        if start < end:
            pieces.append(Piece(length, length + len(new), start, end, is_placeholder))
            text.append(new)
            length += len(new)

    for start, end, kind in found:
        identity = (kind, _identity(kind, body[start:end]))
        if identity not in numbers:
            numbers[identity] = _placeholder(kind, counts, body)
        add(body[at:start], at, start, False)
        add(numbers[identity], start, end, True)
        at = end
    add(body[at:], at, len(body), False)
    return Redacted("".join(text), tuple(pieces))


def _identity(kind: str, value: str) -> str:
    """What two spellings of the same value share."""
    if kind in ("PHONE", "CARD"):
        return _DIGITS.sub("", value)
    return re.sub(r"[\W_]+", " ", _fold(value).text).casefold() if kind == "PERSON" else value.casefold()


def _placeholder(kind: str, counts: dict[str, int], body: str) -> str:
    """The next placeholder of a kind that the text does not hold itself."""
    while True:
        counts[kind] = counts.get(kind, 0) + 1
        placeholder = f"[{kind}_{counts[kind]}]"
        if placeholder not in body:
            return placeholder


Find = tuple[int, int, str]


def _finds(body: str, names: tuple[str, ...]) -> Iterator[Find]:
    """What is to be taken out, most certain first; finds may overlap."""
    for match in _EMAIL.finditer(body):
        if "@" in match[0] or "at" in match[0].casefold():
            yield *match.span(), "EMAIL"
    for match in _KEY.finditer(body):
        group = "announced" if match["announced"] else 0
        yield *match.span(group), "KEY"
    rest = _without_quantities(body)
    for match in _CARD_RUN.finditer(body):
        for start, end in _cards(match[0]):
            card = slice(match.start() + start, match.start() + end)
            rest = rest[: card.start] + "\0" * (card.stop - card.start) + rest[card.stop :]
            yield card.start, card.stop, "CARD"
    for match in _PHONE.finditer(rest):
        if _is_phone(match[0]) or _is_announced(rest, *match.span()):
            # A bracket that the number does not close is not its own.
            yield match.start() + (match[0][0] == "(" and ")" not in match[0]), match.end(), "PHONE"
    yield from _people(body, names)


def _people(body: str, names: tuple[str, ...]) -> Iterator[Find]:
    """Names on record, names where a text shows one, and speakers; all looked for without accents."""
    folded = _fold(body)
    if names and (known := _known_names(names)):
        for match in known.finditer(folded.text):
            yield *folded.slice(*match.span()), "PERSON"
    for match in _SPOKEN_NAME.finditer(folded.text):
        group = match.lastgroup or 0
        words = match[group].casefold().split()
        if not _NO_NAMES.intersection(words) and not (group == "speaker" and words[0] in _HEADINGS):
            yield *folded.slice(*match.span(group)), "PERSON"
    for match in TURN_HEAD.finditer(folded.text):
        if span := _speaker(match):
            yield *folded.slice(*span), "PERSON"


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
class _Folded:
    """A text without accents, and where in the original each of its characters comes from."""

    text: str
    starts: list[int] | range
    ends: list[int] | range

    def slice(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the original of whole characters, accents of the last one included."""
        return self.starts[start], self.ends[end - 1]


def _fold(text: str) -> _Folded:
    """`text` in letters without accents, however they are composed; case stays."""
    if text.isascii():
        return _Folded(text.replace("`", "'"), range(len(text)), range(1, len(text) + 1))
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
    return _Folded("".join(characters), starts, ends)


def _without_quantities(body: str) -> str:
    """`body`, as long as it was, with dates and quantities blanked unless they belong to a telephone number."""

    def blank(match: re.Match[str]) -> str:
        before = match.string[max(0, match.start() - _CUE_REACH) : match.start()]
        if match.re is _DATE:
            is_dialled = bool(_ABROAD.search(before))
        else:
            is_dialled = bool(_DIALLED.search(before)) or _is_announced(match.string, *match.span())
        return match[0] if is_dialled else "\0" * len(match[0])

    return _QUANTITY.sub(blank, _DATE.sub(blank, body))


def _is_announced(text: str, start: int, end: int) -> bool:
    """Whether words say that the digits are dialled."""
    before = text[max(0, start - _CUE_REACH) : start]
    return bool(_CUE_BEFORE.search(before) or _CUE_BEHIND.match(text, end))


def _disjoint(finds: Iterator[Find]) -> list[Find]:
    """Finds that overlap grow together, so that nothing of any is left; the most certain one gives the kind."""
    merged: list[tuple[int, int, int, str]] = []
    for start, end, rank, kind in sorted((start, end, rank, kind) for rank, (start, end, kind) in enumerate(finds)):
        if merged and start < merged[-1][1]:
            before = merged.pop()
            rank, kind = min((rank, kind), before[2:])
            start, end = before[0], max(end, before[1])
        merged.append((start, end, rank, kind))
    return [(start, end, kind) for start, end, _, kind in merged]


def _cards(run: str) -> Iterator[tuple[int, int]]:
    """Card numbers in a run of digits and separators, longest first; another number may stand right beside one."""
    places = [match.start() for match in re.finditer(r"\d", run)]
    first = 0
    while first + _CARD_DIGITS[-1] <= len(places):
        for length in _CARD_DIGITS:
            if first + length <= len(places):
                start, end = places[first], places[first + length - 1] + 1
                # A number begins and ends where a group does: inside a long plain one any window may pass by chance.
                is_group = (start == 0 or not run[start - 1].isdigit()) and not run[end : end + 1].isdigit()
                if is_group and _is_card(run[start:end]):
                    yield start, end
                    first += length - 1
                    break
        first += 1


def _is_card(digits: str) -> bool:
    """Luhn's check, which every payment card passes and one number in ten."""
    total = 0
    for place, digit in enumerate(reversed(_DIGITS.sub("", digits))):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_phone(match: str) -> bool:
    number = match.strip()
    return not number.isdigit() or len(number) >= _PLAIN_NUMBER_DIGITS or number.startswith("0")


@lru_cache(maxsize=1024)
def _known_names(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """One pattern, for folded text, of whole names and their parts."""
    spelt = dict.fromkeys(_fold(way).text for name in names for way in (name, _with_e(name)))
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
