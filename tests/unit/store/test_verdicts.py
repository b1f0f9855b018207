"""Decisions on cards in a warehouse, and what the tagger keeps of them."""

from datetime import datetime

import pytest
from text_warehouse import DAY, NEXT, prepare

from expansion_assets.settings import Settings
from expansion_assets.store import verdicts as store
from expansion_assets.store.verdicts import TooFewVerdictsError, learn, verdicts
from expansion_assets.store.warehouse import connect
from expansion_assets.tagging import tagger as taggers
from expansion_assets.tagging.labelled import read_labelled, write_labelled
from expansion_assets.tagging.tagger import REVIEWED_TEXTS, embedded_tagger

BODY = "We like it. The rota lives in a Google Sheet, site {}."


def add_card(connection, number, decision, reason=None, at=datetime(2026, 3, 5), body=BODY, **tag):
    """A card on one firing that quotes one text."""
    body = body.format(number)
    quote = body.split(". ")[1]
    start = body.index(quote)
    tag = {"polarity": "affirmed", "is_quote_found": True} | tag
    connection.execute(
        "insert into features.texts values ($1, 'h', 'nps', 'customer', $2, $3, $3, 'A1', null)",
        [f"nps:{number}", body, DAY],
    )
    connection.execute(
        """
        insert into text.tags
            (tag_id, text_id, content_hash, label, quote, quote_start, quote_end, is_quote_found, polarity, known_on)
        values ($1, $2, 'h', 'adjacent_use', $3, $4, $5, $6, $7, $8)
        """,
        [f"t{number}", f"nps:{number}", quote, start, start + len(quote), tag["is_quote_found"], tag["polarity"], DAY],
    )
    connection.execute(
        "insert into triggers.evidence (firing_id, tag_id) values ($1, $2)", [f"f{number}", f"t{number}"]
    )
    for day in (DAY, NEXT):  # a card stands in the table once a day
        connection.execute(
            "insert into readiness.cards (card_id, firing_ids, as_of_date) values ($1, $2, $3)",
            [f"c{number}", f"other|f{number}", day],
        )
    decide(connection, number, decision, reason, at)


def decide(connection, number, decision, reason, at):
    connection.execute(
        'insert into readiness.card_reviews (event_id, card_id, event_type, reason, "at") values ($1, $2, $3, $4, $5)',
        [f"e{number}-{at}", f"c{number}", decision, reason, at],
    )


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A workspace without a warehouse, and few lines of our own."""
    lines = tmp_path / "lines.jsonl"
    write_labelled(lines, read_labelled(taggers.TRAINING_LINES)[:150])
    monkeypatch.setattr(store, "TRAINING_LINES", lines)
    monkeypatch.setattr(store, "HOLDOUT_LINES", lines)
    monkeypatch.setattr(taggers, "SHIPPED_MODEL", tmp_path / "model")
    return Settings(state_dir=tmp_path)


def test_the_latest_decision_on_each_quote(warehouse):
    add_card(warehouse, 1, "accepted")
    add_card(warehouse, 2, "rejected", "misread")
    add_card(warehouse, 3, "accepted", polarity="hypothetical")
    add_card(warehouse, 4, "accepted", is_quote_found=False)
    add_card(warehouse, 5, "too_early")
    add_card(warehouse, 6, "accepted")
    decide(warehouse, 6, "rejected", "already in hand", datetime(2026, 3, 9))
    found = verdicts(warehouse)
    assert [(one.text.text_id, one.decision, one.reason) for one in found] == [
        ("nps:1", "accepted", None), ("nps:2", "rejected", "misread"), ("nps:6", "rejected", "already in hand"),
    ]  # fmt: skip
    first = found[0]
    assert first.text.body[first.quote_start : first.quote_end] == "The rota lives in a Google Sheet, site 1."


def test_what_was_learned_is_kept_and_used(settings):
    with connect(settings.warehouse_path) as connection:
        prepare(connection)
        for number in range(12):
            add_card(connection, number, "accepted" if number else "rejected", None if number else "a false alarm")
    before = embedded_tagger(settings, store.TRAINING_LINES).version
    learned, path = learn(settings)
    assert (learned.borne_out, learned.misread) == (11, 1)
    assert path == settings.tagger_dir / REVIEWED_TEXTS
    assert [row.adjacent_use for row in read_labelled(path)] == [False] + [True] * 11
    assert embedded_tagger(settings, store.TRAINING_LINES).version != before
    path.unlink()
    assert embedded_tagger(settings, store.TRAINING_LINES).version == before


def test_what_harms_is_kept_by_force_only(settings, monkeypatch):
    with connect(settings.warehouse_path) as connection:
        prepare(connection)
        for number in range(10):
            add_card(connection, number, "accepted")
    monkeypatch.setattr(store.Learned, "is_harmless", property(lambda self: False))
    assert learn(settings)[1] is None
    assert not settings.tagger_dir.exists()
    assert learn(settings, is_forced=True)[1].is_file()


def test_too_few_verdicts_are_said(settings):
    with connect(settings.warehouse_path) as connection:
        prepare(connection)
        add_card(connection, 1, "accepted")
        add_card(connection, 2, "rejected", "wrong person")
    with pytest.raises(TooFewVerdictsError, match="1 reviewed texts, at least 10 are needed"):
        learn(settings)
