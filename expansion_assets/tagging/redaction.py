"""What is taken out of a text before it leaves the machine, and how a quote finds its way back.

Belongs here: names, e-mail addresses, telephone and card numbers, keys; placeholders; offsets both ways. Does not
belong here: who may be named in a text (``store/texts.py`` knows the account's people).

A placeholder is stable within a text: the same value is `[EMAIL_1]` each time, so that what is said of it still holds
together. Offsets are kept, so a quote from the redacted text leads to a true slice of the stored one. Rather too much
than too little: what was taken out comes back with the quote, what was left in does not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from expansion_assets.tagging.quotes import Span, find_quote

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
_PHONE = re.compile(r"(?<![\w.,])(?:\+|00)?[ ]?\(?\d(?:[ ().\-/\u00a0\u2010-\u2015]{0,3}\d){6,14}(?!\w)")
# What has as many digits and is no telephone number: dates, and quantities with their thousands apart.
_NO_PHONE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}(?!\d)|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d(?!\d)"
    r"|[1-9]\d{0,2}(?:[ .\u00a0]\d{3})+(?![ .\-/\u00a0]?\d))"
)
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
# Words that stand where a name may, and are none.
_NO_NAMES = frozenset((
    "all", "team", "there", "everyone", "everybody", "folks", "support", "sales", "success", "customer", "customers",
    "sir", "madam", "help", "desk", "service", "admin", "info", "office", "hello", "contact", "billing", "account",
    "accounts", "finance", "marketing", "product", "user", "users", "the", "and", "for", "test",
))
_SHORTEST_PART = 3


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

    def find(self, body: str, quote: str) -> Span | None:
        """Find a quote from the redacted text in `body`: a true slice of it, or None.

        A quote that begins or ends inside a placeholder takes the whole of what it stands for.
        """
        found = find_quote(self.text, quote)
        if found is None:
            return None
        touched = [piece for piece in self.pieces if piece.start < found.end and found.start < piece.end]
        first, last = touched[0], touched[-1]
        start = first.body_start + (0 if first.is_placeholder else found.start - first.start)
        end = last.body_end - (0 if last.is_placeholder else last.end - found.end)
        return Span(body[start:end], start, end)


def redact(body: str, names: tuple[str, ...] = ()) -> Redacted:
    """Take out of `body` what may not leave the machine.

    Args:
        body: The stored text.
        names: Names of people whom the text may mention: whole ones in any spelling of case, their parts where they
            are capitalised.
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
        value = body[start:end].casefold()
        identity = (kind, _DIGITS.sub("", value) if kind in ("PHONE", "CARD") else value)
        if identity not in numbers:
            numbers[identity] = _placeholder(kind, counts, body)
        add(body[at:start], at, start, False)
        add(numbers[identity], start, end, True)
        at = end
    add(body[at:], at, len(body), False)
    return Redacted("".join(text), tuple(pieces))


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
    rest = _NO_PHONE.sub(_blank, body)
    for match in _CARD_RUN.finditer(body):
        for start, end in _cards(match[0]):
            card = slice(match.start() + start, match.start() + end)
            rest = rest[: card.start] + "\0" * (card.stop - card.start) + rest[card.stop :]
            yield card.start, card.stop, "CARD"
    for match in _PHONE.finditer(rest):
        if _is_phone(match[0]):
            # A bracket that the number does not close is not its own.
            yield match.start() + (match[0][0] == "(" and ")" not in match[0]), match.end(), "PHONE"
    if names and (known := _known_names(names)):
        for match in known.finditer(body):
            yield *match.span(), "PERSON"
    for match in _SPOKEN_NAME.finditer(body):
        group = match.lastgroup or 0
        if not _NO_NAMES.intersection(match[group].casefold().split()):
            yield *match.span(group), "PERSON"


def _blank(match: re.Match[str]) -> str:
    return "\0" * len(match[0])


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
    return not number.isdigit() or len(number) >= _PLAIN_NUMBER_DIGITS or number.startswith("00")


@lru_cache(maxsize=1024)
def _known_names(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """One pattern for whole names in any case and for their capitalised parts."""
    wholes: set[str] = set()
    parts: set[str] = set()
    for name in names:
        words = [word for word in re.split(r"[\s,]+", name.strip()) if word]
        if len(words) > 1:
            wholes.add(r"\s+".join(map(re.escape, words)))
        long = (word for word in words if len(word) >= _SHORTEST_PART and word.isalpha())
        parts.update(word for word in long if word.casefold() not in _NO_NAMES)
    spelt = {spelling for word in parts for spelling in (word[0].upper() + word[1:], word.title(), word.upper())}
    whole = "|".join(sorted(wholes, key=lambda pattern: (-len(pattern), pattern)))
    part = "|".join(re.escape(word) for word in sorted(spelt, key=lambda word: (-len(word), word)))
    ways = [f"(?i:{whole})"] * bool(whole) + [part] * bool(part)
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)") if ways else None
