"""Pages: complete, escaped, self-contained, and published whole."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from datetime import date

import pytest

from expansion_assets.scan.account import page_name
from expansion_assets.scan.plan_fact_gap import Book
from expansion_assets.scan.publish import publish, read_latest
from expansion_assets.scan.rendering import NAVIGATION, PAGES, escape_markdown, render_all, render_digest, render_scan
from tests.unit.scan.scan_example import NAMES, TODAY

HOSTILE = "<script>alert('x')</script> {{ 7*7 }} | *now* [a](b)"


@pytest.fixture(scope="module")
def pages(scan, digest):
    return render_all(scan, digest)


def test_three_pages_in_three_forms(pages):
    assert tuple(pages) == PAGES
    for page in pages.values():
        assert page.html.startswith("<!doctype html>") and page.md.startswith("# ") and json.loads(page.json)


def test_scan_says_everything_in_order(pages):
    html, md = pages["scan"].html, pages["scan"].md
    for text in (html, md):
        spots = [text.index(word) for word in ("Churn risk first", "Capacity conversations", "Executive introductions",
                                               "For the Head of Customer Success", "What we cannot see")]
        assert spots == sorted(spots)
        assert "20 Apr 2026" in text and "not delivered" in text
    assert "Harbour &amp; Pine" in html and "Harbour & Pine" in md


def test_json_holds_the_data(pages, scan):
    data = json.loads(pages["scan"].json)
    assert data["as_of"] == "2026-04-20"
    assert [line["gap"] for line in data["lines"]] == [line["gap"] for line in scan["lines"]]


def test_no_page_needs_anything_from_outside(pages):
    for page in pages.values():
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//|@import|url\(""", page.html)
        assert "<script" not in page.html
        assert set(re.findall(r'href="([^"#]+)"', page.html)) <= {
            *(f"{name}.{ending}" for name, _ in NAVIGATION for ending in ("html", "md", "json")),
            *(f"{page_name(account_id)}.html" for account_id in NAMES),
        }


def test_customers_words_stay_words(scan, digest):
    hostile_scan, hostile_digest = copy.deepcopy(scan), copy.deepcopy(digest)
    hostile_scan["churn_risk"][0]["account"] = HOSTILE
    row = hostile_digest["csms"][0]["rows"][0]
    row["account"] = HOSTILE
    row["cards"][0]["evidence"] = [HOSTILE]
    for page in (render_scan(hostile_scan), render_digest(hostile_digest)):
        assert "<script>" not in page.html and "&lt;script&gt;" in page.html
        assert "{{ 7*7 }}" in page.html and "49" not in re.findall(r"alert.{0,40}", page.html)[0]
        assert escape_markdown(HOSTILE) in page.md and "<script>" not in page.md


def test_markdown_stays_on_one_line():
    assert escape_markdown("a\n# b | c") == r"a \# b \| c"


def test_an_empty_day_still_makes_pages(scan):
    empty = {**scan, "churn_risk": [], "blind": [], "watched": [], "escalations": [],
             "lines": [{**line, "accounts": [], "gap": 0, "planned": 0, "cause": None} for line in scan["lines"]]}
    no_cards = {"as_of": TODAY, "csms": [], "blind": [], "watched": [],
                "totals": {"accounts": 0, "cards": 0, "overdue": 0, "hot": 0, "put_off": 0}}
    pages = render_all(empty, no_cards, is_demo=True)
    assert "no account at risk" in pages["scan"].html and "demo data" in pages["scan"].html
    assert "No account has an open card" in pages["digest"].html


def test_publish_switches_latest_last(pages, tmp_path):
    assert read_latest(tmp_path) is None
    publish(pages, tmp_path, date(2026, 4, 19))
    written = publish(pages, tmp_path, TODAY)
    assert sorted(written) == sorted(f"{name}.{ending}" for name in PAGES for ending in ("html", "md", "json"))
    assert read_latest(tmp_path) == TODAY
    assert (tmp_path / "2026-04-19" / "scan.html").exists()
    assert not list(tmp_path.rglob("*.tmp"))
    latest = json.loads((tmp_path / "latest.json").read_text())
    assert (tmp_path / f"{latest['pages']['scan']}.html").read_text() == pages["scan"].html


def test_a_failed_write_leaves_the_old_day(pages, tmp_path, monkeypatch):
    publish(pages, tmp_path, date(2026, 4, 19))
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        publish(pages, tmp_path, TODAY)
    assert read_latest(tmp_path) == date(2026, 4, 19)


def test_a_book_without_names_falls_back_to_ids():
    book = Book({}, {})
    assert (book.account("a"), book.owner("o"), book.owner(None), book.country("o")) == ("a", "o", "No owner", None)


@pytest.mark.chromium
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_no_page_is_wider_than_a_phone(pages, tmp_path):
    for name, page in pages.items():
        (tmp_path / f"{name}.html").write_text(page.html)
    frames = "".join(f'<iframe src="{name}.html" width="390" height="900"></iframe>' for name in PAGES)
    script = """onload = () => { document.title = [...document.querySelectorAll('iframe')]
        .map(f => f.contentDocument.documentElement.scrollWidth).join(','); };"""
    probe = f"<body>{frames}<script>{script}</script>"
    (tmp_path / "probe.html").write_text(probe)
    dom = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "probe.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout
    widths = [int(width) for width in re.search(r"<title>([\d,]+)</title>", dom)[1].split(",")]
    assert len(widths) == 3 and max(widths) <= 390
