"""Firings of the warehouse against the answer key of its world."""

from __future__ import annotations

import json
from datetime import date

from expansion_assets.settings import Settings
from expansion_assets.store.cards import firing_events
from expansion_assets.store.warehouse import connect
from expansion_assets.validation.truth import judge, read_answer_key, render, shortfalls, write_measures
from expansion_assets.world import ANSWER_KEY, WORLD_FILE


def truth_report(settings: Settings) -> tuple[str, list[str]]:
    """Judge every firing and write the measures.

    The file is ``<state>/eval/triggers.json`` for the hard world and ``triggers_demo.json`` for the demo world.

    Returns:
        The table for people, and what falls short of the behavioural triggers' least measures.

    Raises:
        FileNotFoundError: the landing files come from no planted world, so there is no answer key.
    """
    cases = read_answer_key(settings.landing_dir / ANSWER_KEY)
    world = {"name": "hard" if settings.world_is_hard else "demo"} | json.loads(
        (settings.landing_dir / WORLD_FILE).read_text(encoding="utf-8")
    )
    with connect(settings.warehouse_path, read_only=True) as connection:
        truths = judge(firing_events(connection, date.max), cases)
    file = "triggers.json" if settings.world_is_hard else "triggers_demo.json"
    path = write_measures(truths, world, settings.state_dir / "eval" / file)
    return f"{render(truths, world)}\n\nwritten to {path}", shortfalls(truths)
