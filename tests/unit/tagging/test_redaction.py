"""What may not leave the machine does not, and comes back with the quote."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from expansion_assets.tagging.redaction import redact

NAMES = (
    "Jane Miller", "Bob O'Neil", "Nguyễn Văn An", "Anne-Marie Dubois", "Jean-Luc Petit", "Wei Wu", "José García",
    "Mark Rose", "Will Smith", "Jörg Müller", "王小明", "api", "it support", "data.integration", "Sales",
)  # fmt: skip
SECRETS = {
    "EMAIL": st.sampled_from([
        "jane.miller@acme-corp.co.uk", "J+x@a.io", "o'neil@x.example", "ops_team@sub.acme.museum", "jane (at) acme.com",
    ]),
    "PHONE": st.sampled_from([
        "+49 (0)30 1234-5678", "+1 415 555 2671", "(415) 555-2671", "415-555-2671", "0151 23456789",
        "0044 20 7946 0018", "+33.1.42.68.53.00", "020 7946 0018", "+34 612 345 678", "+48 601 234 567",
        "+61 412 345 678", "+420 603 123 456", "+351 912 345 678", "+49 151 234 567", "+353 85 123 456",
        "+47 412 34 567", "0412 345 678", "Tel.0151 23456789", "call 5551234", "mobile: 612 345 678",
        "call me back on 612 345 678", "+49-30-12-10-2019", "+33 6\u202f12\u202f345\u202f678",
    ]),
    "CARD": st.sampled_from(["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009", "6011000000000004"]),
    "KEY": st.sampled_from([
        "sk-proj-ABCDEFGHIJKLMNOP", "ghp_abcdefghijklmnopqrst", "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w", "xoxb-123456789012-abcdef",
    ]),
    "PERSON": st.sampled_from([
        "Jane Miller", "JANE MILLER", "jane miller", "Bob", "O'Neil", "Nguyễn Văn An", "Nguyen Van An", "o\u2019neil",
        "Anne-Marie", "Anne\u2011Marie", "Jean-Luc", "Wu", "Jose Garcia", "JOSÉ", "José García",
        unicodedata.normalize("NFD", "José García"), "Jane_Miller", "jane.miller", "@jane_miller", "@janemiller",
        "Miller, Jane", "@mark", "Joerg Mueller", "王小明",
    ]),
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
    for phone in SECRETS["PHONE"].elements:
        assert re.sub(r"^[a-zA-Z.: ]+", "", phone) not in redacted.text
    for person in SECRETS["PERSON"].elements:
        assert person.lstrip("@") not in redacted.text
    assert not re.search(r"(?i)\b(?:jane|miller|bob|neil|nguy|anne|marie|jean|wu|jos|garc)", redacted.text)


@given(PARTS, st.data())
def test_any_slice_of_the_redacted_text_leads_to_a_true_slice(parts, data):
    body = " ".join(parts)
    redacted = redact(body, NAMES)
    start = data.draw(st.integers(0, len(redacted.text)))
    quote = redacted.text[start : data.draw(st.integers(start, len(redacted.text)))]
    assert all(body[span.start : span.end] == span.text for span in redacted.find(body, quote))


@given(PARTS, st.data())
def test_any_words_of_the_redacted_text_are_found(parts, data):
    body = " ".join(parts)
    redacted = redact(body, NAMES)
    words = [match.span() for match in re.finditer(r"\S+", redacted.text)]
    first = data.draw(st.integers(0, len(words)))
    last = data.draw(st.integers(first, len(words)))
    quote = redacted.text[words[first][0] : words[last - 1][1]] if first < last else ""
    assert bool(redacted.find(body, quote)) == bool(quote)


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
        # Quantities, and telephone numbers that look like them.
        ("1 250 000 rows, in 2026 1 250 000 rows, at 10:15 1 250 000 rows, 1.250.000 rows, order 1000000", None),
        ("05.12.2026 1 250 000 rows, 612 345 678 rows, we reach 1 250 000 people, mobile users: 1 250 000", None),
        ("+34 612 345 678", "[PHONE_1]"),
        ("+47 412 34 567", "[PHONE_1]"),
        ("00420 603 123 457", "[PHONE_1]"),
        ("0412 345 678", "[PHONE_1]"),
        ("Tel.0151 23456789", "Tel.[PHONE_1]"),
        ("call 5551234", "call [PHONE_1]"),
        ("phone: 612 345 678 or 612 345 679", "phone: [PHONE_1] or [PHONE_2]"),
        ("reach us at 612 345 678", "reach us at [PHONE_1]"),
        ("612 345 678 (mobile), 612 345 679 is my number", "[PHONE_1] (mobile), [PHONE_2] is my number"),
        # Names on record, however they are spelt.
        ("O'Neil said, o\u2019neil said", "[PERSON_1] said, [PERSON_1] said"),
        ("Anne-Marie said, Jean-Luc agrees, marie too", "[PERSON_1] said, [PERSON_2] agrees, [PERSON_3] too"),
        ("Wu said, wu wei", "[PERSON_1] said, [PERSON_2]"),
        ("An idea: so we do. In it", None),
        (unicodedata.normalize("NFD", "José García's"), "[PERSON_1]'s"),
        ("Jose Garcia, JOSÉ GARCÍA", "[PERSON_1], [PERSON_1]"),
        ("Jane_Miller, @jane_miller, _Jane_", "[PERSON_1], @[PERSON_1], _[PERSON_2]_"),
        ("jane said, Joerg said", "[PERSON_1] said, [PERSON_2] said"),
        ("@mark will mark what rose; Mark will", "@[PERSON_1] will mark what rose; [PERSON_1] will"),
        ("\u738b\u5c0f\u660e\u8bf4", "[PERSON_1]\u8bf4"),
        # Mailboxes are no names.
        ("we need an API and data integration for Sales, it support is slow", None),
        # Who speaks.
        ("[00:01:20] Ravi Shah: hi", "[00:01:20] [PERSON_1]: hi"),
        ("**Ravi Shah:** hi", "**[PERSON_1]:** hi"),
        ("Ravi Shah (Acme): hi", "[PERSON_1] (Acme): hi"),
        ("Ravi Shah  0:12\nhi", "[PERSON_1]  0:12\nhi"),
        ("Ravi: hi", "[PERSON_1]: hi"),
        ("[10:22] RAVI: hi", "[10:22] [PERSON_1]: hi"),
        ("Łukasz: hi", "[PERSON_1]: hi"),
        ("Jan van Dijk: hi", "[PERSON_1]: hi"),
        ("Larry Page: hi", "[PERSON_1]: hi"),
        ("Agent Shah: hi", "Agent [PERSON_1]: hi"),
        ("Customer (Ravi Shah): hi", "Customer ([PERSON_1]): hi"),
        ("Ravi Shah - Acme: hi", "[PERSON_1] - Acme: hi"),
        ("[0:12] Speaker 1 - Ravi: hi", "[0:12] Speaker 1 - [PERSON_1]: hi"),
        ("Speaker 1: hi\nAgent: hi\nSubject: SSO\nUse case: SSO\nFeature Request: SSO\nTypeError: x", None),
        ("Excel: slow\nHubSpot: slow\nSteps to reproduce: none\nSAML: none", None),
        ("", ""),
    ],
)
def test_what_is_sent(body, sent):
    assert redact(body, NAMES).text == (body if sent is None else sent)


def test_a_quote_through_a_placeholder_takes_the_whole_of_it():
    body = "Please mail jane@acme.io about the API."
    redacted = redact(body, ())
    assert redacted.find(body, "mail [EMAIL_1] about")[0].text == "mail jane@acme.io about"
    assert redacted.find(body, "EMAIL_1] about")[0].text == "jane@acme.io about"
    assert redacted.find(body, "jane@acme.io") == []


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_with_accents_comes_back_as_it_is_spelt(form):
    name = unicodedata.normalize(form, "José García")
    body = f"ﬁrst Straße {name} asked, {name.upper()}\u200b too"
    redacted = redact(body, ("Jose Garcia",))
    assert redacted.text == "ﬁrst Straße [PERSON_1] asked, [PERSON_1] too"
    assert redacted.restore(body) == body
    assert redacted.find(body, "Straße [PERSON_1] asked")[0].text == f"Straße {name} asked"
    first = redacted.find(body, "[PERSON_1]")[0]
    assert (first.text, first.start) == (name, body.index(name))


@given(st.text("aAéÉe\u0301\u0308ßœłİıﬁ\u200b\u738b\uac00-'\u2019_@ .", max_size=20), st.data())
def test_placeholders_stand_for_true_slices_of_any_spelling(body, data):
    names = tuple(data.draw(st.lists(st.text("aéÉßœłıﬁ-'\u0301\u738b\uac00 ", min_size=1, max_size=6), max_size=3)))
    redacted = redact(body, names)
    assert redacted.restore(body) == body
    for before, piece in zip(redacted.pieces, redacted.pieces[1:], strict=False):
        assert (before.end, before.body_end) == (piece.start, piece.body_start)
