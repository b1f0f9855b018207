"""Addresses, domains and names: what people and exports write, read once."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion_assets.catalogue.identity import load_identity_rules
from expansion_assets.sources.identity import (
    Resolver,
    company_of,
    host_name,
    name_key,
    parse_address,
    person_key,
    registrable_domain,
)

KEY = "a key of the tests"
RESOLVER = Resolver(KEY, load_identity_rules().user_kind_rules)


def company(address: str) -> tuple[object, object]:
    row = RESOLVER.address_row(address)
    return row["status"], row["registrable_domain"]


@pytest.mark.parametrize(
    "spelling",
    [
        "jane@acme.com", "JANE@Acme.COM", "  jane@acme.com\n", "Jane <jane@acme.com>", '"Doe, Jane" <jane@acme.com>',
        "jane+crm@acme.com", "jane+@acme.com", "jane@acme.com.", "mailto:jane@acme.com",
        "mailto:jane@acme.com?subject=x",
        "'jane@acme.com'", "jane@acme.com;", "<jane@acme.com>", "jane＠acme.com", "jane@acme。com",
        "jane@acme\u200b.com",
    ],
)
def test_spellings_of_one_mailbox_are_one_person(spelling):
    assert person_key(spelling, KEY) == person_key("jane@acme.com", KEY) is not None
    assert company(spelling) == ("company", "acme.com")


@pytest.mark.parametrize("other", ["jane@mail.acme.com", "jane@acme.de", "j.ane@acme.com", "jane.doe@acme.com"])
def test_other_mailboxes_are_other_people(other):
    assert person_key(other, KEY) not in (None, person_key("jane@acme.com", KEY))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@eu.mail.acme.co.uk", ("company", "acme.co.uk")),
        ("a@shop.acme.com.au", ("company", "acme.com.au")),
        ("a@dept.city.kawasaki.jp", ("company", "city.kawasaki.jp")),
        ("a@b.gov.kobe.jp", ("company", "b.gov.kobe.jp")),
        ("a@acme.github.io", ("company", "acme.github.io")),
        ("a@www.acme.herokuapp.com", ("company", "acme.herokuapp.com")),
        ("a@github.io", ("public_suffix", None)),
        ("a@co.uk", ("public_suffix", None)),
        ("a@acme.example", ("company", "acme.example")),
        ("a@MÜNCHEN.de", ("company", "xn--mnchen-3ya.de")),
        ("a@xn--mnchen-3ya.de", ("company", "xn--mnchen-3ya.de")),
        ("a@straße.de", ("company", "xn--strae-oqa.de")),
        ("a@食狮.公司.cn", ("company", "xn--85x722f.xn--55qx5d.cn")),
        ("a@Gmail.com", ("free_mail", "gmail.com")),
        ("a@web.de", ("free_mail", "web.de")),
        ("a@t-online.de", ("free_mail", "t-online.de")),
        ("a@vip.qq.com", ("free_mail", "qq.com")),
        ("a@[192.168.0.1]", ("no_domain", None)),
        ("a@192.168.0.1", ("no_domain", None)),
        ("a@[IPv6:::1]", ("malformed", None)),
        ("a@localhost", ("no_domain", None)),
        ("a@LOCALHOST.", ("no_domain", None)),
    ],
)
def test_the_company_is_what_is_registered(address, expected):
    assert company(address) == expected


def test_two_tenants_of_a_host_are_two_companies():
    assert company("a@one.github.io") != company("a@two.github.io")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "jane", "@", "@acme.com", "jane@", "jane@@acme.com", "a@b@acme.com", "jane@acme..com", "jane@.com",
        "jane@-acme.com", "jane@acme-.com", "jane doe@acme.com", "jane@ac me.com", "a@acme.com, b@acme.com",
        "jane <jane@acme.com", "<>", "Jane <>", "jane@acme.com\x00", "n/a", "null", "jane@" + "a" * 64 + ".com",
        "jane@" + "a." * 130 + "com", "x@a/b.com", "jane at acme.com", "\ud800",
    ],
)
def test_what_is_no_address_is_nobody(text):
    row = RESOLVER.address_row(text)
    assert (row["person_key"], row["status"], row["registrable_domain"]) == (None, "malformed", None)


@pytest.mark.parametrize("address", ["root@localhost", "root@10.0.0.1"])
def test_a_mailbox_of_no_public_host_is_nobody(address):
    assert person_key(address, KEY) is None


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("acme.com", "acme.com"), ("https://www.Acme.com:8443/about?x#y", "www.acme.com"), ("ACME.COM.", "acme.com"),
        ("http://user:pw@acme.com/", "acme.com"), ("//acme.com", None), ("acme", None), ("", None), (None, None),
        ("10.0.0.1", None), ("http://10.0.0.1/x", None), ("[::1]", None), ("acme.com, acme.de", None),
        ("acme com", None), ("acme.123", None), ("acme.com/de", "acme.com"), ("münchen.de", "xn--mnchen-3ya.de"),
    ],
)
def test_hosts_of_web_domains(text, host):
    assert host_name(text) == host


@pytest.mark.parametrize(
    ("text", "status"),
    [("acme.com", "company"), ("gmail.com", "free_mail"), ("uk.com", "public_suffix"), ("intranet", "no_domain"),
     ("10.0.0.1", "no_domain"), ("a b", "malformed"), ("", "malformed")],
)  # fmt: skip
def test_what_a_web_domain_is_good_for(text, status):
    assert company_of(text).status == status
    assert (company_of(text).registrable_domain is None) == (status not in ("company", "free_mail"))


@given(st.text())
def test_nothing_crashes_and_nothing_is_half_read(text):
    for row in (RESOLVER.address_row(text), RESOLVER.domain_row(text)):
        assert (row["registrable_domain"] is not None) == (row["status"] in ("company", "free_mail"))
    RESOLVER.name_row(text)
    found = parse_address(text)
    assert found is None or found.mailbox.count("@") >= 1


@given(st.from_regex(r"[a-z0-9.\-]{1,30}", fullmatch=True))
def test_a_registrable_domain_is_its_own(text):
    host = host_name(text)
    if host and (domain := registrable_domain(host)):
        assert host == domain or host.endswith("." + domain)
        assert registrable_domain(domain) == domain


def test_the_pseudonym_is_an_hmac_that_needs_the_key():
    expected = hmac.new(KEY.encode(), b"mailbox|jane@acme.com", hashlib.sha256).hexdigest()[:32]
    assert person_key("Jane@acme.com", KEY) == expected
    assert person_key("jane@acme.com", "another key of tests") != expected
    plain = [hashlib.new(name, b"jane@acme.com").hexdigest()[:32] for name in ("md5", "sha256")]
    assert expected not in plain


def test_names_meet_without_case_and_spacing_and_never_pass_for_a_mailbox():
    assert name_key(" Jane  DOE ", KEY) == name_key("jane doe", KEY) is not None
    assert name_key("  ", KEY) is None
    assert name_key("jane@acme.com", KEY) != person_key("jane@acme.com", KEY)


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("svc-export@acme.com", "service_prefix"), ("SVC-1@acme.com", "service_prefix"), ("deploy-bot@acme.com", "bot"),
        ("Bot@acme.com", "bot"), ("no-reply@acme.com", "no_reply"), ("noreply+x@acme.com", "no_reply"),
        ("root@acme.com", "machine_mailbox"), ("jane.doe.ext@acme.com", "external_local_part"),
        ("jane@ext.acme.com", "external_subdomain"), ("abbott@acme.com", None), ("lisa.bot@acme.com", None),
        ("talbot@acme.com", None), ("svenja@acme.com", None), ("jane@next.com", None), ("dexter@acme.com", None),
        ("jane", None), ("", None),
    ],
)  # fmt: skip
def test_rules_take_machines_out_and_spare_people(address, rule):
    row = RESOLVER.address_row(address)
    assert row["user_kind_rule"] == rule
    assert (row["user_kind"] is None) == (rule is None)
