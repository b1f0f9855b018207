"""Decisions of people on cards, with the quotes behind them.

Belongs here: from a warehouse to verdicts, and the file of what was learned from them. Does not belong here: what a
verdict teaches (``tagging/reviews.py``).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from expansion_assets.settings import Settings
from expansion_assets.store.warehouse import connect, fetch_rows
from expansion_assets.tagging.labelled import read_labelled, write_labelled
from expansion_assets.tagging.network import load_network
from expansion_assets.tagging.reviews import FEWEST_LINES, Learned, Verdict, compare, lines_of
from expansion_assets.tagging.schema import Text
from expansion_assets.tagging.tagger import (
    HOLDOUT_LINES,
    REVIEWED_TEXTS,
    TRAINING_LINES,
    embedded_tagger,
    network_files,
)


class TooFewVerdictsError(RuntimeError):
    """Too few reviewed texts to learn from."""


def verdicts(connection: duckdb.DuckDBPyConnection) -> list[Verdict]:
    """The latest decision on each card, once for every affirmed quote that its firings stand on."""
    rows = fetch_rows(
        connection,
        """
        with decided as (
            select card_id, event_type as decision, reason, reviews."at" as decided_at
            from readiness.card_reviews as reviews where event_type in ('accepted', 'rejected')
            qualify row_number() over (partition by card_id order by reviews."at" desc, event_id desc) = 1
        ),
        card_firings as (
            select distinct card_id, unnest(string_split(firing_ids, '|')) as firing_id from readiness.cards
        )
        select distinct texts.text_id, texts.content_hash, texts.kind, texts.speaker_side, texts.body,
            tags.label, tags.quote_start, tags.quote_end, decided.decision, decided.reason, decided.decided_at
        from decided
        inner join card_firings using (card_id)
        inner join triggers.evidence as evidence using (firing_id)
        inner join text.tags as tags using (tag_id)
        inner join features.texts as texts using (text_id, content_hash)
        where tags.is_quote_found and tags.polarity = 'affirmed'
        order by texts.text_id, tags.label, decided.decided_at
        """,
    )
    return [
        Verdict(
            Text(row["text_id"], row["content_hash"], row["kind"], row["speaker_side"], row["body"]), row["label"],
            row["quote_start"], row["quote_end"], row["decision"], row["reason"], row["decided_at"],
        )
        for row in rows
    ]


def learn(settings: Settings, *, is_forced: bool = False) -> tuple[Learned, Path | None]:
    """Train the embedded tagger on the team's reviews.

    Args:
        settings: The workspace.
        is_forced: Keep what was learned even where our hold-out lines are read worse.

    Returns:
        The comparison, and the file of reviewed lines; None where nothing was kept.

    Raises:
        TooFewVerdictsError: says how many there are.
    """
    with connect(settings.warehouse_path, read_only=True) as connection:
        reviewed = lines_of(verdicts(connection))
    if len(reviewed) < FEWEST_LINES:
        raise TooFewVerdictsError(
            f"{len(reviewed)} reviewed texts, at least {FEWEST_LINES} are needed: texts behind accepted cards, or "
            "behind cards rejected because a text was misread"
        )
    files = network_files(settings)
    network = load_network(files) if files else None
    learned = compare(read_labelled(TRAINING_LINES), reviewed, read_labelled(HOLDOUT_LINES), network)
    if not learned.is_harmless and not is_forced:
        return learned, None
    path = settings.tagger_dir / REVIEWED_TEXTS
    path.parent.mkdir(parents=True, exist_ok=True)
    write_labelled(path, reviewed)
    embedded_tagger(settings, TRAINING_LINES)
    return learned, path
