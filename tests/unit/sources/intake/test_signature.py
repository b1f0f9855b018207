"""A request proves its origin by key, time and exact body; nothing else is let through."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion_assets.sources.intake import IntakeError
from expansion_assets.sources.intake.signature import TOLERANCE_S, Claim, NotSigned, check_keys, sign

KEY, OLD_KEY = b"the key that is being introduced", b"the key that is being phased out"
AT = 1_751_500_000


def accept(header: str | None, body: bytes, *keys: bytes, now: float = AT) -> bool:
    try:
        Claim(header, now).verify(keys or (KEY,), body)
    except NotSigned:
        return False
    return True


def test_the_form_is_the_documented_one():
    mac = hmac.new(KEY, f"{AT}.".encode() + b'{"a":1}', hashlib.sha256).hexdigest()
    assert sign(KEY, b'{"a":1}', AT) == f"t={AT},v1={mac}"


@given(st.binary(max_size=300), st.integers(-TOLERANCE_S, TOLERANCE_S))
def test_a_signed_body_is_accepted_within_the_tolerance(body, skew):
    assert accept(sign(KEY, body, AT), body, now=AT + skew)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_flipped_bit_of_the_body_is_refused(body, data):
    place = data.draw(st.integers(0, len(body) * 8 - 1))
    forged = bytearray(body)
    forged[place // 8] ^= 1 << place % 8
    assert not accept(sign(KEY, body, AT), bytes(forged))


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_any_other_digest_is_refused(place, digit):
    header = sign(KEY, b"body", AT)
    start = header.index("v1=") + 3
    forged = header[: start + place] + digit + header[start + place + 1 :]
    assert accept(forged, b"body") == (forged == header)


@given(st.text(max_size=200))
def test_no_text_is_a_signature_by_chance_and_none_crashes(text):
    assert not accept(text, b"body")


@pytest.mark.parametrize("skew", [TOLERANCE_S + 1, -TOLERANCE_S - 1, 10**9])
def test_a_captured_request_is_worth_nothing_outside_the_tolerance(skew):
    assert not accept(sign(KEY, b"body", AT), b"body", now=AT + skew)


def test_the_time_is_part_of_what_is_signed():
    header = sign(KEY, b"body", AT - 1000)
    assert not accept(header.replace(f"t={AT - 1000}", f"t={AT}"), b"body")


def test_time_and_body_cannot_trade_bytes():
    header = sign(KEY, b"1.body", AT)
    assert not accept(header.replace(f"t={AT}", f"t={AT}.1"), b"body")


def test_a_rotation_works_from_both_ends():
    new, old = sign(KEY, b"body", AT), sign(OLD_KEY, b"body", AT)
    both = new + "," + old.split(",")[1]
    assert accept(old, b"body", KEY, OLD_KEY)
    assert accept(both, b"body", OLD_KEY)
    assert not accept(old, b"body", KEY)


@pytest.mark.parametrize(
    "header",
    [None, "", "v1=" + "0" * 64, f"t={AT}", f"t={AT},v1=", f"t={AT},t={AT},v1=" + "0" * 64, f"t=-{AT},v1=" + "0" * 64,
     "t=١٧٥١,v1=" + "0" * 64, f"t={AT},v0=" + "0" * 64, f"t={AT}," + ",".join(["v1=" + "0" * 64] * 50)],
)
def test_a_malformed_header_is_refused_before_the_body_is_seen(header):
    with pytest.raises(NotSigned):
        Claim(header, AT)


@pytest.mark.parametrize("secrets", [(), ("short",), ("a key of more than sixteen bytes", "short")])
def test_the_listener_needs_good_keys(secrets):
    with pytest.raises(IntakeError):
        check_keys(secrets)
