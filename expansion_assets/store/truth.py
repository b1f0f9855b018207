"""Firings of the warehouse against the demo world's answer key."""

from __future__ import annotations

from datetime import date

from expansion_assets.settings import Settings
from expansion_assets.store.cards import firing_events
from expansion_assets.store.warehouse import connect
from expansion_assets.validation.truth import judge, read_answer_key, render, write_measures


def truth_report(settings: Settings) -> str:
    """Judge every firing, write ``<state>/eval/triggers.json`` and return the table for people.

    Raises:
        FileNotFoundError: the landing files come from no demo world, so there is no answer key.
    """
    cases = read_answer_key(settings.landing_dir / "_world" / "answer_key.jsonl")
    with connect(settings.warehouse_path, read_only=True) as connection:
        truths = judge(firing_events(connection, date.max), cases)
    path = write_measures(truths, settings.state_dir / "eval" / "triggers.json")
    return f"{render(truths)}\n\nwritten to {path}"
