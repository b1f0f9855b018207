"""The readiness page: states, figures and fixes in words; blind is never left out."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from expansion_assets.scan.readiness import build_readiness, share, summary
from expansion_assets.scan.rendering import render_digest, render_index, render_readiness, render_scan, ticked_html
from tests.unit.readiness.diagnostic_rows import DAY, data_set, diagnose, group, history, landing, match_rate, off

HOSTILE = "<script>alert('x')</script> | *b* `<i>`"


@pytest.fixture(scope="module")
def data():
    tables = history(
        identity_directory=None, support_tickets={"newest_known_on": DAY - timedelta(days=20)},
        product_usage={"first_loaded_on": None, "first_assumed_on": DAY - timedelta(days=365)},
    )
    lost = group(4, 310000.0, 1, **off("identity", "support"))
    rows, fixes = diagnose(
        [group(6, 90000.0, **off("identity", "support")), lost], tables, (landing("identity_directory", "empty"),),
        (match_rate("product_usage", 1000, 995, 999.0),),
    )
    return build_readiness(DAY, rows.values(), fixes)


@pytest.fixture(scope="module")
def page(data):
    return render_readiness(data)


def test_every_trigger_and_every_source_has_a_state(data, page):
    assert len(data["triggers"]) == 5
    for trigger in data["triggers"]:
        assert trigger["state_label"] and trigger["sources"]
        assert f'id="{trigger["trigger"]}"' in page.html
    assert data["totals"]["line"] == "3 watchable now, 2 one clean-up away"
    assert data["totals"]["line"] in page.html and data["totals"]["line"] in page.md


def test_worst_state_first(data):
    tones = [trigger["tone"] for trigger in data["triggers"]]
    assert tones == sorted(tones, key=["bad", "warn", "good"].index)


def test_a_fix_says_what_to_do_and_what_it_covers(page):
    for text in (page.html, page.md):
        assert "at most 10 accounts, 400,000 EUR ARR would be covered" in text
    assert "Restart the export of <code>support_tickets</code>" in page.html
    assert "Restart the export of `support_tickets`" in page.md
    assert "20 days old; stale from 14 days" in page.html


def test_figures_of_a_source(data):
    [product] = [part for trigger in data["triggers"] if trigger["trigger"] == "CROSS_TEAM"
                 for part in trigger["sources"] if part["source"] == "product"]
    assert product["history"] == "none with real load times; 12 months with assumed ones"
    assert product["match"] == "over 99 % of recent rows, from over 99 % of ARR"
    assert (product["age"], product["is_stale"], product["accounts"]) == ("today", False, "10 of 10")


def test_unknown_arr_is_said(page):
    assert "The ARR of 1 account is unknown" in page.html and "The ARR of 1 account is unknown" in page.md


def test_share_says_all_and_nothing_only_when_it_is():
    assert [share(value) for value in (0, 0.004, 0.5, 0.996, 1)] == ["0 %", "under 1 %", "50 %", "over 99 %", "100 %"]


def test_a_reason_from_a_mapping_stays_words():
    lacking = data_set(absent={"identity": HOSTILE}, without=("identity_directory",))
    rows, fixes = diagnose([group(**off("identity"))], history(identity_directory=None), data=lacking)
    page = render_readiness(build_readiness(DAY, rows.values(), fixes))
    assert "<script>" not in page.html and "<i>" not in page.html and "&lt;script&gt;" in page.html
    assert "<script>" not in page.md and r"\|" in page.md
    assert ticked_html("a `b_c` `<d>`") == "a <code>b_c</code> `&lt;d&gt;`"


def test_without_accounts_the_page_says_so():
    rows, fixes = diagnose([], history(crm_accounts=None))
    data = build_readiness(DAY, rows.values(), fixes)
    page = render_readiness(data, is_alone=True)
    assert "No account is known, so nothing can be watched" in page.html and data["totals"]["states"]["blind"] == 5
    assert "crm_accounts" in page.html
    assert 'href="scan.html"' not in page.html


def test_the_terminal_gets_states_and_ranked_fixes(data):
    text = summary(data)
    assert "CROSS_TEAM: one clean-up away; 0 of 10 accounts, 0 % of ARR" in text
    assert "1. " in text and "`" not in text
    assert json.loads(render_readiness(data).json)["totals"] == data["totals"]


def test_a_range_of_rows_shows_its_day_only():
    rows, fixes = diagnose([group()])
    yesterday = {"as_of_date": DAY - timedelta(days=1)}
    old = build_readiness(DAY, [{**row, **yesterday} for row in rows.values()], [{**fix, **yesterday} for fix in fixes])
    assert old["triggers"] == [] and build_readiness(DAY, rows.values(), fixes)["triggers"]


def coverage_row(trigger, watchable, blind, reason=None):
    return {"trigger": trigger, "name": trigger, "watchable_accounts": watchable, "blind_accounts": blind,
            "reason": reason}


@pytest.mark.parametrize("watched", [[], [coverage_row("ROLE_CHANGE", 10, 0)]])
def test_no_page_reads_silence_as_clear(scan, digest, watched):
    blind = [coverage_row("CROSS_TEAM", 0, 10, "identity: no file was delivered"),
             coverage_row("USAGE_MILESTONE", 8, 2, "no seat limit in the contract lines")]
    for rows in (blind, []):
        scan_data, digest_data = ({**data, "blind": rows, "watched": watched} for data in (scan, digest))
        for page in (render_scan(scan_data), render_digest(digest_data), render_index(scan_data, digest_data)):
            assert "What we cannot see" in page.html
            assert 'href="readiness.html"' in page.html
            if rows:
                for text in (page.html, page.md):
                    assert "10 accounts" in text and "2 accounts" in text
                    assert "identity: no file was delivered" in text and "no seat limit" in text
                assert ">blind<" in page.html and ">partly blind<" in page.html
                assert "** is blind: 10 accounts" in page.md and "** is partly blind: 2 accounts" in page.md
                assert "readiness.md" in page.md
            elif watched:
                assert "Every trigger is watched for every account" in page.html
            else:
                assert "No trigger is watched: no account is known" in page.html
                assert "No trigger is watched: no account is known" in page.md
                assert "Every trigger" not in page.html


def test_scan_and_digest_name_the_same_blind_triggers(scan, digest):
    assert scan["blind"] == digest["blind"] and scan["blind"]
    assert {row["trigger"] for row in scan["blind"]} & {row["trigger"] for row in scan["watched"]} == set()


def test_the_index_leads_to_it(scan, digest, data):
    page = render_index(scan, digest, readiness=data["totals"])
    assert re.search(r'<a class="sheet" href="readiness.html">', page.html)
    assert "[Readiness](readiness.md): 3 watchable now" in page.md
