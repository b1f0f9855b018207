"""What may not leave the machine does not, and comes back with the quote."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from expansion_assets.tagging.redaction import redact

NAMES = ("Jane Miller", "Bob O'Neil", "Nguyễn Văn An")
SECRETS = {
    "EMAIL": st.sampled_from([
        "jane.miller@acme-corp.co.uk", "J+x@a.io", "o'neil@x.example", "ops_team@sub.acme.museum", "jane (at) acme.com",
    ]),
    "PHONE": st.sampled_from([
        "+49 (0)30 1234-5678", "+1 415 555 2671", "(415) 555-2671", "415-555-2671", "0151 23456789",
        "0044 20 7946 0018", "+33.1.42.68.53.00", "020 7946 0018",
    ]),
    "CARD": st.sampled_from(["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009", "6011000000000004"]),
    "KEY": st.sampled_from([
        "sk-proj-ABCDEFGHIJKLMNOP", "ghp_abcdefghijklmnopqrst", "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w", "xoxb-123456789012-abcdef",
    ]),
    "PERSON": st.sampled_from(["Jane Miller", "JANE MILLER", "jane miller", "Bob", "O'Neil", "Nguyễn Văn An"]),
}
PROSE = st.sampled_from([
    "we need an API", "on 2026-11-22", "1,000,000 rows", "v2.3.4", "at 10:15", "order 1000000", "{{ 7*7 }}", "— so",
    "[EMAIL_1]", "12.50 EUR", "in 2026", "1 000 000 calls", "22.11.2026",
])
PARTS = st.lists(st.one_of(PROSE, *SECRETS.values()), max_size=8)


@given(st.text(), st.lists(st.text(min_size=1), max_size=3))
def test_restoring_is_the_identity_on_any_text(body, names):
    assert redact(body, tuple(names)).restore(body) == body


@given(PARTS, st.sampled_from([" ", "\n", ", ", " - "]))
@example(["4111 1111 1111 1111", "415-555-2671"], " ")
@example(["in 2026", "4111 1111 1111 1111", "in 2026"], " ")
@settings(max_examples=200)
def test_nothing_secret_is_left_and_everything_comes_back(parts, between):
    body = between.join(parts)
    redacted = redact(body, NAMES)
    assert redacted.restore(body) == body
    for kind in ("EMAIL", "CARD", "KEY"):
        for secret in SECRETS[kind].elements:
            assert secret not in redacted.text
    assert not re.search(r"[\w.]@\w", redacted.text)
    assert not re.search(r"(?i)\bmiller|nguyễn", redacted.text)
    for phone in SECRETS["PHONE"].elements:
        assert phone not in redacted.text


@given(PARTS, st.data())
def test_any_slice_of_the_redacted_text_leads_to_a_true_slice(parts, data):
    body = " ".join(parts)
    redacted = redact(body, NAMES)
    start = data.draw(st.integers(0, len(redacted.text)))
    quote = redacted.text[start : data.draw(st.integers(start, len(redacted.text)))]
    span = redacted.find(body, quote)
    if not quote.strip():
        assert span is None
    else:
        assert body[span.start : span.end] == span.text


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("Jane asked, jane miller agreed, Jane left", "[PERSON_1] asked, [PERSON_2] agreed, [PERSON_1] left"),
        ("mail a@b.co or A@B.CO", "mail [EMAIL_1] or [EMAIL_1]"),
        ("call 415-555-2671 or (415) 555 2671", "call [PHONE_1] or [PHONE_1]"),
        ("see [EMAIL_1], mail a@b.co", "see [EMAIL_1], mail [EMAIL_2]"),
        ("https://bob:pw123@host.example/x", "https://[EMAIL_1]/x"),
        ("password: hunter2, token is 9f8e7d", "password: [KEY_1], token is [KEY_2]"),
        ("the password is wrong", "the password is wrong"),
        ("Hi Brenda, thanks\nBest regards,\nTom Baker", "Hi [PERSON_1], thanks\nBest regards,\n[PERSON_2]"),
        ("Hi team, hello Support", "Hi team, hello Support"),
        ("Ann Lee: we need an API", "[PERSON_1]: we need an API"),
        ("my name is Priya Raman and I", "my name is [PERSON_1] and I"),
        ("ask Dr. Okafor", "ask Dr. [PERSON_1]"),
        ("will mark the miller's stone", "will mark the miller's stone"),
        ("10 of 25 seats, 99.9 %, 1,000,000 rows, 1 000 000 rows, 2026-11-22 10:15, 192 GB", None),
        ("Excel, Zapier and Notion", None),
        ("", ""),
    ],
)
def test_what_is_sent(body, sent):
    assert redact(body, NAMES).text == (body if sent is None else sent)


def test_a_quote_through_a_placeholder_takes_the_whole_of_it():
    body = "Please mail jane@acme.io about the API."
    redacted = redact(body, ())
    assert redacted.find(body, "mail [EMAIL_1] about").text == "mail jane@acme.io about"
    assert redacted.find(body, "MAIL_1] about").text == "jane@acme.io about"
    assert redacted.find(body, "jane@acme.io") is None
