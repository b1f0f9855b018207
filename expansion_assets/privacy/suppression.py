"""The suppression list: keyed hashes of forgotten people, and what stands in their place in a text.

Belongs here: the list's file, the question "is this one of them?", masking. Does not belong here: rows and tables
(``persons``), files of landing (``landing``).

The list names nobody: without the workspace's pseudonym key no entry can be tested against a guess. It stands in the
workspace's folder and not in the warehouse, so that a rebuilt warehouse knows it. A purge works from the list alone,
so one that was killed is finished by calling it again, even when the rows that told the person's name are gone.
"""

from __future__ import annotations

import html
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from expansion_assets.privacy import SuppressionError
from expansion_assets.settings import Settings
from expansion_assets.sources.identity import FORGOTTEN_PREFIX, company_of, parse_address, person_key, pseudonym

MAILBOX, NAME, NAME_AT = "mailbox", "name", "name_at"
"""Kinds of entries, beside the names of id columns (``user_id``). ``name_at`` is a name within one account or company:
in a name column a namesake elsewhere is another person; in free text nobody can tell, and every full name is masked."""
BAR = "\N{FULL BLOCK}"
"""One for each character, so that the offsets of quotes in the same text stay true."""
FORGOTTEN = "[forgotten]"
"""What stands in a required column that held the person."""
_FILE = "suppression.jsonl"
_NO_HOST = "forgotten.invalid"  # a top-level domain that nobody can have (RFC 2606)
_METHOD = "key_fingerprint"
# RFC 5322 atoms; %40 is the @ of a link.
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_LINK_PARTS = re.compile(r"[=/'&?|`{}%*!#$^~]")
# HTML's entities for letters and apostrophes are part of a word, those for blanks are between words.
_LETTER_ENTITY = (
    r"&[a-zA-Z](?:acute|grave|uml|circ|tilde|cedil|ring|slash|caron);|&(?:szlig|[aoAO][eE]lig|apos|rsquo);"
    r"|&#(?!160;|xa0;)x?[0-9a-fA-F]+;"
)
_WORD = re.compile(rf"(?:[^\W_]++|['\u2019-]|{_LETTER_ENTITY})+")
_BETWEEN = re.compile(r"(?:[\s,]|&nbsp;|&#160;|&#xa0;){1,24}")
_ESCAPE = re.compile(r'\\+(?:u([0-9a-fA-F]{4})|[nrtbf]|(.))', re.DOTALL)
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_MIN_NAME_WORDS = 2  # one word alone ("Will", "April") would black out half a text
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 1_000_000, 200


@dataclass(frozen=True)
class Entry:
    """One line of the list."""

    kind: str
    hash: str
    words: int | None = None
    """Words of a name: how long a run of words in a text has to be looked up."""
    person: str | None = None
    """Person key behind a name within an account or company, when an address stood beside it."""


@dataclass(frozen=True)
class Suppression:
    """Who is forgotten, as hashes, with the key that makes them."""

    key: str
    entries: frozenset[Entry] = frozenset()
    _found: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)
    _innocent: set[str] = field(default_factory=set, repr=False, compare=False)
    """Pieces of texts that name nobody."""

    def __bool__(self) -> bool:
        """Whether anybody is on it."""
        return bool(self.entries)

    @property
    def people(self) -> frozenset[str]:
        """Person keys of the forgotten mailboxes."""
        return self._hashes(MAILBOX)

    def with_entries(self, entries: Iterable[Entry]) -> Suppression:
        """The same list, longer."""
        return Suppression(self.key, self.entries | frozenset(entries))

    def mailbox(self, address: str | None) -> Entry | None:
        """The entry of an address, in any spelling; None for what is none."""
        key = person_key(address, self.key) if address else None
        return Entry(MAILBOX, key) if key else None

    def names(self, name: str, scopes: Iterable[str], person: str | None = None) -> list[Entry]:
        """Entries of a full name, also said last name first, and within its accounts or companies."""
        words = _folded_words(name)
        entries = [Entry(NAME_AT, self._name_at(words, scope), person=person) for scope in scopes if words]
        if len(words) >= _MIN_NAME_WORDS:
            for order in (words, [words[-1], *words[:-1]]):
                entries.append(Entry(NAME, self._hash(NAME, " ".join(order)), len(words)))
        return entries

    def identifier(self, kind: str, value: str) -> Entry:
        """The entry of an id that leads to a person; ``kind`` is the name of its column."""
        return Entry(kind, self._hash(kind, value))

    def has_address(self, text: str | None) -> bool:
        """Whether a text is one address, and of somebody on the list."""
        if not text or ("@" not in text):
            return False
        return _cached(self._found, "@" + text, lambda: self.mailbox(text) in self.entries)

    def has_identifier(self, kind: str, value: object) -> bool:
        """Whether an id is one of somebody on the list; ids that already stand in for one are, too."""
        if value is None or kind not in self._kinds:
            return False
        text = str(value)
        if text.startswith(FORGOTTEN_PREFIX):
            return text.removeprefix(FORGOTTEN_PREFIX) in self._hashes(kind)
        return _cached(self._found, f"{kind}|{text}", lambda: self.identifier(kind, text) in self.entries)

    def has_name_at(self, name: str | None, scopes: Iterable[str]) -> bool:
        """Whether a name in a name column is of somebody on the list: same name, same account or company."""
        if not name or NAME_AT not in self._kinds:
            return False
        words = _folded_words(name)
        return any(self._name_at(words, scope) in self._hashes(NAME_AT) for scope in scopes)

    def address_of_name(self, name: str | None, scopes: Iterable[str]) -> str | None:
        """Stand-in address of somebody whom a row names without an address: else it would be one more person."""
        words = _folded_words(name or "")
        for scope in scopes:
            hashed = self._name_at(words, scope)
            known = sorted(entry.person for entry in self.entries if entry.hash == hashed and entry.person)
            if known:
                host = scope if company_of(scope).registrable_domain else _NO_HOST
                return f"{FORGOTTEN_PREFIX}{known[0]}@{host}"
        return None

    def has_name(self, name: str | None) -> bool:
        """Whether a text is a full name on the list, wherever it stands."""
        return bool(name) and self.masked_names(str(name)) != name

    def pseudonymous_address(self, address: str) -> str | None:
        """What stands in for an address: its domain, and the person's keyed hash for the local part.

        The domain leads to the account and the hash to the same person key, so facts of the account and ids of
        firings stay what they were. None for what is no address.
        """
        parsed, entry = parse_address(address), self.mailbox(address)
        return f"{FORGOTTEN_PREFIX}{entry.hash}@{parsed.host}" if parsed and entry else None

    def pseudonymous_id(self, kind: str, value: str) -> str:
        """What stands in for an id."""
        return value if value.startswith(FORGOTTEN_PREFIX) else FORGOTTEN_PREFIX + self.identifier(kind, value).hash

    def masked(self, text: str) -> str:
        """A text without the addresses and full names on the list; one that is an address becomes its stand-in."""
        is_json_like = text.lstrip()[:1] in ("{", "[", '"')
        if not self._may_hold(_unescaped(text) if is_json_like else text):
            return text
        if is_json_like and _is_json(text):
            return self.masked_json(text)
        if self.has_address(text):
            return self.pseudonymous_address(text) or text
        return self.masked_names(self.masked_addresses(text))

    def _may_hold(self, text: str) -> bool:
        """A cheap look that misses nothing: run histories are megabytes in which nobody is named.

        Neither an address nor a name goes over a quotation mark, and between those a run history says the same few
        thousand things over and over: each is looked at once.
        """
        if self.has_address(text):
            return True
        for piece in set(text.split('"')) - self._innocent:
            if self.masked_addresses(piece) != piece or self._may_name(piece):
                return True
            if len(piece) <= _LONGEST_REMEMBERED:
                self._innocent.add(piece)
        if len(self._innocent) > _MOST_REMEMBERED:
            self._innocent.clear()
        return False

    def _may_name(self, text: str) -> bool:
        lengths = _name_lengths(self.entries)
        words = [_fold(word) for word in _WORD.findall(text) if word != "nbsp"] if lengths else []
        for length in lengths:
            for run in set(zip(*(words[start:] for start in range(length)), strict=False)):
                folded = " ".join(run)
                if _cached(self._found, "n|" + folded, lambda folded=folded: self._is_name(folded)):
                    return True
        return False

    def masked_json(self, text: str) -> str:
        """JSON text with its strings masked, JSON within strings too; all other bytes as they were."""
        return _JSON_STRING.sub(self._masked_token, text)

    def _masked_token(self, found: re.Match[str]) -> str:
        try:
            value = json.loads(found[0], strict=False)
        except ValueError:
            return found[0]
        new = self.masked(value)
        return found[0] if new == value else json.dumps(new, ensure_ascii=found[0].isascii())

    def masked_addresses(self, text: str) -> str:
        """A text with bars over the addresses on the list."""
        if "@" not in text and "%40" not in text:
            return text
        return _ADDRESS.sub(lambda found: self._barred(found, text), text)

    def _barred(self, found: re.Match[str], text: str) -> str:
        given = found[0]
        starts = [0, *(part.end() for part in _LINK_PARTS.finditer(given.partition("@")[0]))]
        if found.start() and text[found.start() - 1] == "\\":
            starts.insert(1, 1)  # the n of an escaped line end
        for start in starts:
            rest = given[start:]
            stripped = rest.rstrip("-_")
            if self.has_address(stripped.replace("%40", "@")):
                return given[:start] + BAR * len(stripped) + rest[len(stripped) :]
        return given

    def masked_names(self, text: str) -> str:
        """A text with bars over the full names on the list."""
        if not self._may_name(text):
            return text
        words = [word for word in _WORD.finditer(text) if not text.startswith(f"&{word[0]};", max(word.start() - 1, 0))]
        barred: list[tuple[int, int]] = []
        for length in _name_lengths(self.entries):
            for window in _runs(words, length, text):
                folded = " ".join(_fold(word[0]) for word in window)
                if _cached(self._found, "n|" + folded, lambda folded=folded: self._is_name(folded)):
                    barred.append((window[0].start(), window[-1].end()))
        for start, end in barred:
            text = text[:start] + BAR * (end - start) + text[end:]
        return text

    def _is_name(self, folded: str) -> bool:
        return self._hash(NAME, folded) in self._hashes(NAME)

    def _name_at(self, words: list[str], scope: str) -> str:
        return self._hash(NAME_AT, f"{scope}|{' '.join(words)}")

    def _hash(self, kind: str, text: str) -> str:
        return pseudonym(f"suppressed {kind}", text, self.key)

    @property
    def _kinds(self) -> frozenset[str]:
        return _kinds_of(self.entries)

    def _hashes(self, kind: str) -> frozenset[str]:
        return _hashes_of(self.entries, kind)


def suppression_file(settings: Settings) -> Path:
    """Where the list stands."""
    return settings.workspace_dir / _FILE


def read_suppression(settings: Settings) -> Suppression:
    """Read the list of a workspace; an empty one where nobody was forgotten.

    Raises:
        SuppressionError: the file is broken, or was made with another key.
    """
    empty = Suppression(settings.person_key)
    path = suppression_file(settings)
    if not path.exists():
        return empty
    try:
        head, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        fingerprint = head[_METHOD]
        entries = [Entry(line["kind"], line["hash"], line.get("words"), line.get("person")) for line in lines]
    except (ValueError, LookupError, TypeError) as error:
        raise SuppressionError(f"{path}: not a suppression list: {error}") from error
    if fingerprint != _fingerprint(settings.person_key):
        raise SuppressionError(
            f"{path} was made with another EXPANSION_PSEUDONYM_KEY: everybody on it would come back. Set the old key"
        )
    return empty.with_entries(entries)


def write_suppression(settings: Settings, suppression: Suppression) -> None:
    """Write the list, whole or not at all, for its owner's eyes only."""
    lines: list[Mapping[str, object]] = [{_METHOD: _fingerprint(suppression.key)}]
    for entry in sorted(suppression.entries, key=lambda entry: (entry.kind, entry.hash, entry.person or "")):
        lines.append({name: value for name, value in vars(entry).items() if value is not None})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    replace_file(suppression_file(settings), text.encode(), mode=0o600)


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put new content in a file's place: on the disk before it has the name; the file's own mode unless another."""
    mode = path.stat().st_mode & 0o777 if mode is None else mode
    beside = temporary(path)
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fchmod(handle.fileno(), mode)
        os.fsync(handle.fileno())
    put_in_place(beside, path)


def temporary(path: Path) -> Path:
    """Name of the file that will take a file's place; what a kill leaves of it, the next purge removes."""
    return path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")


TEMPORARY_SUFFIX = ".forgetting"


def put_in_place(beside: Path, path: Path) -> None:
    """Rename, and make the rename durable: a power cut must not bring the old file back."""
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def scope_of(text: str | None) -> str | None:
    """Account or company within which a name means one person: a registered domain, or an account id as it stands."""
    if not text:
        return None
    return company_of(text).registrable_domain or text


def _fingerprint(key: str) -> str:
    return pseudonym("fingerprint", "", key)[:8]


def _unescaped(text: str) -> str:
    """JSON text with its escapes read, however deeply nested; blanks for line ends and the like."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2] or " ", text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _runs(words: list[re.Match[str]], length: int, text: str) -> Iterator[list[re.Match[str]]]:
    """Runs of so many words with nothing but white space and commas between them."""
    for first in range(len(words) - length + 1):
        run = words[first : first + length]
        if all(_BETWEEN.fullmatch(text, left.end(), right.start()) for left, right in itertools.pairwise(run)):
            yield run


def _folded_words(name: str) -> list[str]:
    return [_fold(word[0]) for word in _WORD.finditer(name)]


@lru_cache(maxsize=262_144)
def _fold(word: str) -> str:
    """A word of a name as it is compared: case, HTML and the genitive do not matter."""
    plain = html.unescape(word).casefold().replace("\u2019", "'")
    return plain.removesuffix("'s").strip("'")


def _cached(memory: dict[str, bool], text: str, answer: object) -> bool:
    if text not in memory:
        if len(memory) > _MOST_REMEMBERED:
            memory.clear()
        memory[text] = answer()  # type: ignore[operator]
    return memory[text]


@lru_cache(maxsize=64)
def _kinds_of(entries: frozenset[Entry]) -> frozenset[str]:
    return frozenset(entry.kind for entry in entries)


@lru_cache(maxsize=64)
def _name_lengths(entries: frozenset[Entry]) -> tuple[int, ...]:
    return tuple(sorted({entry.words for entry in entries if entry.kind == NAME and entry.words}))


@lru_cache(maxsize=1024)
def _hashes_of(entries: frozenset[Entry], kind: str) -> frozenset[str]:
    return frozenset(entry.hash for entry in entries if entry.kind == kind)
