"""``identity.yml`` loads, and a rule that hits the wrong people does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from expansion_assets.catalogue.identity import load_identity_rules
from expansion_assets.catalogue.reading import CATALOGUE_DIR, CatalogueError

FILE = "identity.yml"


@pytest.fixture
def document() -> dict:
    return yaml.safe_load((CATALOGUE_DIR / FILE).read_text(encoding="utf-8"))


@pytest.fixture
def load(tmp_path: Path):
    def write(document: dict):
        (tmp_path / FILE).write_text(yaml.safe_dump(document), encoding="utf-8")
        load_identity_rules.cache_clear()
        return load_identity_rules(tmp_path)

    return write


def test_own_and_vendor_domains_reach_their_rules(load, document):
    rules = load(document | {"own_domains": ["we.com"], "vendor_domains": ["helper.io"]}).user_kind_rules
    hit = {rule.name for domain in ("we.com", "helper.io") for rule in rules if rule.hits_address("jane", "", domain)}
    assert hit == {"own_domain", "vendor_domain"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"local_part": "("}, "is no regular expression"),
        ({"spares": ["bot"]}, "does not spare bot"),
        ({"hits": ["abbott"]}, "does not hit abbott"),
        ({"kind": "robot"}, "user_kind_rules.4.kind"),
        ({"subdomain": "x"}, "exactly one of"),
        ({"name": "no_reply"}, "named twice: no_reply"),
        ({"local_parts": "x"}, "user_kind_rules.4.local_parts"),
    ],
)
def test_a_rule_that_does_not_hold_is_named(load, document, change, message):
    document["user_kind_rules"][4] |= change
    with pytest.raises(CatalogueError, match=message) as caught:
        load(document)
    assert str(caught.value).startswith(FILE)


@pytest.mark.parametrize(("domain", "is_good"), [("acme.com", True), ("Acme.com", False), ("acme", False)])
def test_own_domains_are_registrable(load, document, domain, is_good):
    document["own_domains"] = [domain]
    if is_good:
        load(document)
    else:
        with pytest.raises(CatalogueError, match="no lower-case registrable domain"):
            load(document)


def test_a_table_has_its_own_thresholds_and_the_defaults_else(load, document):
    document["match_rate"] |= {"warn_below_rows": 0.9, "warn_below_arr": 0.5, "tables": {"t": {"warn_below_arr": 0.0}}}
    rule = load(document).match_rate
    assert (rule.thresholds("t"), rule.thresholds("other")) == ((0.9, 0.0), (0.9, 0.5))


def test_a_share_above_one_is_refused(load, document):
    document["match_rate"]["warn_below_rows"] = 90
    with pytest.raises(CatalogueError, match=r"match_rate\.warn_below_rows"):
        load(document)
