"""The pages on the data stay within a phone, whatever stands in a raw row."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date, datetime

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.scan.account import build_account
from expansion_assets.scan.quality import build_quality
from expansion_assets.scan.quarantine import build_quarantine
from expansion_assets.scan.readiness import build_readiness
from expansion_assets.scan.rendering import render_account, render_quality, render_quarantine, render_readiness
from expansion_assets.triggers.explain import Explanation
from tests.unit.readiness.diagnostic_rows import diagnose, group, history, off

DAY = date(2026, 6, 30)
LONG = "w" * 300
PHONE_PX = 390


def pages():
    examples = json.dumps([{"row_key": LONG, "values": {"country": LONG}}])
    yield render_quality(build_quality(DAY, [{
        "as_of_date": DAY, "window_start": DAY, "checked_table": f"raw.{LONG}", "expectation": "expect_" + LONG,
        "column_names": LONG, "rows_checked": 2, "unexpected_count": 1, "is_success": False, "problem": None,
        "failed_from": DAY, "failed_to": DAY, "examples_json": examples,
    }]))
    where = {"source": LONG, "table": LONG, "rule": f"not_allowed:{LONG}"}
    seen = datetime(2026, 6, 30)
    yield render_quarantine(build_quarantine(
        DAY, [{**where, "row_count": 1, "file_count": 1, "first_seen_at": seen, "last_seen_at": seen}],
        [{**where, "file": LONG, "row_number": 1, "raw_json": json.dumps({LONG[:50]: LONG})}],
        [{**where, "row_count": 1}], [{"source_table": LONG, "status": "missing", "message": LONG}], {}, {},
    ))
    happened = {"happened_at": seen, "known_at": seen, "known_on": DAY, "account_id": LONG, "person_key": None}
    yield render_account(build_account(
        DAY,
        dict.fromkeys(("segment", "country", "first_paid_on", "renewal_on", "opt_out_on"))
        | {"account_id": LONG, "account_name": LONG, "arr": 1.0, "currency": LONG},
        LONG, None, None, [], [Explanation("CROSS_TEAM", "new_department", LONG, "not_met")], {"ROLE_CHANGE": LONG},
        [
            {"event_key": "e", "kind": "ticket_opened", "summary": LONG, "source_table": LONG, "firing_id": None}
            | happened,
            {"event_key": "f", "kind": "firing_opened", "summary": "", "source_table": "x", "firing_id": "F",
             "sub_trigger": "new_department", "subject_key": LONG, "reason": None} | happened,
        ],
        [{"firing_id": "F", "event_key": "e", "link": "evidence"}], {}, load_catalogue().signals,
    ))
    rows, fixes = diagnose([group(6, 90000.0, **off("identity", "support"))], history(identity_directory=None))
    yield render_readiness(build_readiness(DAY, rows.values(), fixes))


@pytest.mark.chromium
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_no_page_is_wider_than_a_phone(tmp_path):
    names = []
    for number, page in enumerate(pages()):
        names.append(f"{number}.html")
        (tmp_path / names[-1]).write_text(page.html)
    frames = "".join(f'<iframe src="{name}" width="{PHONE_PX}" height="900"></iframe>' for name in names)
    script = """onload = () => { document.title = [...document.querySelectorAll('iframe')]
        .map(f => f.contentDocument.documentElement.scrollWidth).join(','); };"""
    (tmp_path / "probe.html").write_text(f"<body>{frames}<script>{script}</script>")
    dom = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "probe.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout
    widths = [int(width) for width in re.search(r"<title>([\d,]+)</title>", dom)[1].split(",")]
    assert len(widths) == len(names) and max(widths) <= PHONE_PX, widths
