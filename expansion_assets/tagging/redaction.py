"""What is taken out of a text before it leaves the machine, and how a quote finds its way back.

Belongs here: e-mail addresses, telephone and card numbers, keys; placeholders; offsets both ways. Does not belong here:
where names stand (``people``).

A placeholder is stable within a text: the same value is `[EMAIL_1]` each time, so that what is said of it still holds
together. Offsets are kept, so a quote from the redacted text leads to a true slice of the stored one. Rather too much
than too little: what was taken out comes back with the quote, what was left in does not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from expansion_assets.tagging.people import fold, people_in
from expansion_assets.tagging.quotes import Span, find_quotes

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
        names: Names of people whom the text may mention; :func:`people_in` says how they are found.
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
    return re.sub(r"[\W_]+", " ", fold(value).text).casefold() if kind == "PERSON" else value.casefold()


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
    for start, end in people_in(body, names):
        yield start, end, "PERSON"


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
