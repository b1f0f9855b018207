"""Pages as HTML, Markdown and JSON, from the data of scan and digest.

Belongs here: Jinja environments, filters, one function per page. Does not belong here: what the pages say
(``plan_fact_gap.py``, ``digest.py``), files (``publish.py``).

HTML is autoescaped; Markdown escapes what a customer's words could turn into markup. No page needs anything from
outside: style is inline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from expansion_assets.scan import words
from expansion_assets.scan.account import page_name
from expansion_assets.scan.text_reading import reading_line, unread_line

TEMPLATES = Path(__file__).resolve().parent / "templates"
PAGES = ("scan", "digest", "index")
# Every page of a day, as the navigation names it.
NAVIGATION = (
    ("index", "Start"), ("scan", "Scan"), ("digest", "Digest"), ("readiness", "Readiness"), ("quality", "Quality"),
    ("quarantine", "Quarantine"),
)
# A name of a table or column between ticks; anything else between ticks stays text.
_TICKED = re.compile(r"`([a-z0-9_.]+)`")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#])")


@dataclass(frozen=True)
class Page:
    """One page in its three forms."""

    html: str
    md: str
    json: str

    def forms(self) -> dict[str, str]:
        """Return the forms by file ending."""
        return {"html": self.html, "md": self.md, "json": self.json}


def render_scan(data: Mapping[str, Any], is_demo: bool = False) -> Page:
    """Render the manager's scan from :func:`~expansion_assets.scan.plan_fact_gap.build_scan`."""
    return _render("scan", data, is_demo)


def render_digest(data: Mapping[str, Any], is_demo: bool = False) -> Page:
    """Render the weekly digest from :func:`~expansion_assets.scan.digest.build_digest`."""
    return _render("digest", data, is_demo)


def render_readiness(data: Mapping[str, Any], is_demo: bool = False, *, is_alone: bool = False) -> Page:
    """Render the diagnostic from :func:`~expansion_assets.scan.readiness.build_readiness`.

    Args:
        data: Data of the page.
        is_demo: Say so on the page.
        is_alone: No other page stands beside it: no navigation.
    """
    return _render("readiness", data, is_demo, () if is_alone else NAVIGATION)


def render_quality(data: Mapping[str, Any], is_demo: bool = False) -> Page:
    """Render the results of expectations from :func:`~expansion_assets.scan.quality.build_quality`."""
    return _render("quality", data, is_demo)


def render_quarantine(data: Mapping[str, Any], is_demo: bool = False) -> Page:
    """Render the quarantine from :func:`~expansion_assets.scan.quarantine.build_quarantine`."""
    return _render("quarantine", data, is_demo)


def render_index(
    scan: Mapping[str, Any],
    digest: Mapping[str, Any],
    is_demo: bool = False,
    quality: Mapping[str, Any] | None = None,
    quarantine: Mapping[str, Any] | None = None,
    readiness: Mapping[str, Any] | None = None,
) -> Page:
    """Render the page that links the others, with what cannot be watched.

    Args:
        scan: Data of the scan.
        digest: Data of the digest.
        is_demo: Say so on the page.
        quality: Totals of the quality page.
        quarantine: Totals of the quarantine page.
        readiness: Totals of the readiness page.
    """
    data = {
        "quality": quality, "quarantine": quarantine, "readiness": readiness,
        "as_of": scan["as_of"], "scan": scan["totals"], "digest": digest["totals"],
        "churn_risk": len(scan["churn_risk"]), "blind": scan["blind"], "watched": scan["watched"],
    }
    return _render("index", data, is_demo)


def render_account(data: Mapping[str, Any], is_demo: bool = False) -> Page:
    """Render an account's page from :func:`~expansion_assets.scan.account.build_account`; it lies one folder deeper."""
    return _render("account", data, is_demo, root="../")


def render_confusion(data: Mapping[str, Any]) -> str:
    """Render wrong answers from :func:`~expansion_assets.scan.confusion.build_confusion`; it stands alone."""
    context = {**data, "page": "confusion", "file": "confusion", "is_demo": False, "navigation": (), "root": ""}
    return _environment("html").get_template("confusion.html.j2").render(context)


def render_all(scan: Mapping[str, Any], digest: Mapping[str, Any], is_demo: bool = False) -> dict[str, Page]:
    """Render the three pages by name."""
    return {
        "scan": render_scan(scan, is_demo),
        "digest": render_digest(digest, is_demo),
        "index": render_index(scan, digest, is_demo),
    }


def _render(
    name: str, data: Mapping[str, Any], is_demo: bool, navigation: tuple[tuple[str, str], ...] = NAVIGATION,
    root: str = "",
) -> Page:
    # An account's page is a file of its own name.
    file = quote(page_name(data["account_id"]).rpartition("/")[2]) if name == "account" else name
    context = {
        **data, "page": name, "file": file, "is_demo": is_demo, "navigation": navigation, "root": root,
    }
    markdown = _environment("md").get_template(f"{name}.md.j2").render(context)
    return Page(
        html=_environment("html").get_template(f"{name}.html.j2").render(context),
        md=re.sub(r"\n{3,}", "\n\n", markdown).strip() + "\n",
        json=json.dumps(data, indent=2, ensure_ascii=False, default=_plain) + "\n",
    )


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place on a page")


@lru_cache
def _environment(form: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=form == "html", undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        day=words.day, short_day=words.short_day, day_month=words.day_month, count=words.count, number=words.number,
        score=lambda value: f"{value:.1f}", whole=lambda value: f"{value:.0f}", escape_md=escape_markdown,
        ticked=ticked_html, ticked_md=ticked_markdown, account_page=lambda key: f"{quote(page_name(key))}.html",
        reading_line=reading_line, unread_line=unread_line,
    )
    return environment


def escape_markdown(text: object) -> str:
    """Return text in which no character is Markdown or HTML markup, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def ticked_html(text: object) -> Markup:
    """Return escaped text in which names between ticks are code."""
    parts = _TICKED.split(str(text))
    return Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts))


def ticked_markdown(text: object) -> str:
    """Return text escaped for Markdown in which names between ticks stay code."""
    parts = _TICKED.split(" ".join(str(text).split()))
    return "".join(f"`{part}`" if n % 2 else _MARKDOWN.sub(r"\\\1", part) for n, part in enumerate(parts))
