"""Proof of origin: HMAC-SHA256 over time and raw body.

Belongs here: signing, verifying, keys. Does not belong here: HTTP, what the body says.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from expansion_assets.sources.intake import IntakeError

HEADER = "x-expansion-signature"
TOLERANCE_S = 300
"""Seconds that the sender's clock may be from ours, both ways (Stripe's value): the life of a captured request."""
MIN_KEY_BYTES = 16
_MAX_HEADER_BYTES = 1024  # room for about 14 signatures; a longer header is no signature of a sender that rotates keys
_TIME = re.compile(r"[0-9]{1,12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class NotSigned(ValueError):  # noqa: N818 - reads as the answer it becomes
    """The request proves no origin; the message says why, and holds nothing that the sender sent."""


def check_keys(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """Turn the configured secrets into keys.

    Raises:
        IntakeError: there is none, or one is too short to resist guessing.
    """
    if not secrets:
        raise IntakeError("no signing key: set EXPANSION_WEBHOOK_SECRET (or EXPANSION_WEBHOOK_SECRETS=new,old)")
    keys = tuple(secret.encode() for secret in secrets)
    if any(len(key) < MIN_KEY_BYTES for key in keys):
        raise IntakeError(f"a signing key has fewer than {MIN_KEY_BYTES} bytes: `openssl rand -hex 32` makes one")
    return keys


def sign(key: bytes, body: bytes, at: int) -> str:
    """Return the header value that signs a body at a time (unix seconds)."""
    return f"t={at},v1={_digest(key, str(at), body)}"


def _digest(key: bytes, at: str, body: bytes) -> str:
    mac = hmac.new(key, at.encode() + b".", hashlib.sha256)
    mac.update(body)
    return mac.hexdigest()


class Claim:
    """A signature header that is well formed and of our time; the body is still to be held against it."""

    def __init__(self, header: str | None, now: float) -> None:
        """Read a header.

        Args:
            header: Value of the signature header; None when there is none.
            now: Unix seconds.

        Raises:
            NotSigned: missing, malformed, or outside the tolerance.
        """
        if not header:
            raise NotSigned("no signature")
        if len(header) > _MAX_HEADER_BYTES:
            raise NotSigned("malformed signature")
        parts = [part.strip().partition("=") for part in header.split(",")]
        times = [value for name, _, value in parts if name == "t"]
        self._digests = [value for name, _, value in parts if name == "v1" and _DIGEST.fullmatch(value)]
        if len(times) != 1 or not _TIME.fullmatch(times[0]) or not self._digests:
            raise NotSigned("malformed signature")
        if abs(now - int(times[0])) > TOLERANCE_S:
            raise NotSigned(f"the signature's time is more than {TOLERANCE_S} s away from ours")
        self._time = times[0]

    def verify(self, keys: Sequence[bytes], body: bytes) -> None:
        """Hold the body against the claim.

        Every key is tried against every digest whatever the outcome so far: the time taken tells nothing.

        Raises:
            NotSigned: no key gives any of the digests.
        """
        is_proven = False
        for key in keys:
            expected = _digest(key, self._time, body)
            for digest in self._digests:
                is_proven |= hmac.compare_digest(expected, digest)
        if not is_proven:
            raise NotSigned("the signature does not match the body")
