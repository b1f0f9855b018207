"""Where texts come from and tags go to: the warehouse side of tagging.

Belongs here: which texts are unread, the atomic write of a batch. Does not belong here: reading a text (``tagging``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import duckdb

from expansion_assets.store.warehouse import add_rows, fetch_rows, transaction
from expansion_assets.tables import READINGS, TAGS
from expansion_assets.tagging.schema import Tag, Text

# A batch is lost at most when a run is killed; 500 texts are half a second of the embedded tagger.
BATCH_TEXTS = 500


@dataclass(frozen=True)
class UnreadText:
    """A text with the day on which it became known."""

    text: Text
    known_on: date


def unread_texts(
    connection: duckdb.DuckDBPyConnection, tagger_version: str, start: date, end: date
) -> list[UnreadText]:
    """Texts known on days [start, end) that this tagger version has not read, in a stable order."""
    rows = fetch_rows(
        connection,
        """
        select text_id, content_hash, kind, speaker_side, body, known_on
        from features.texts anti join (select * from text.readings where tagger_version = $1) as seen
            using (text_id, content_hash)
        where known_on >= $2 and known_on < $3 and body is not null
        order by known_on, text_id
        """,
        [tagger_version, start, end],
    )
    return [UnreadText(Text(**{key: row[key] for key in row if key != "known_on"}), row["known_on"]) for row in rows]


def store_batch(
    connection: duckdb.DuckDBPyConnection, batch: Sequence[UnreadText], tags: Iterable[Tag], tagger_version: str,
    read_at: datetime,
) -> None:
    """Store a batch's readings and tags, all or nothing."""
    known_on = {item.text.text_id: item.known_on for item in batch}
    rows = [{**asdict(tag), "known_on": known_on[tag.text_id]} for tag in tags]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["text_id"]] = counts.get(row["text_id"], 0) + 1
    readings = [
        {
            "text_id": item.text.text_id, "content_hash": item.text.content_hash, "tagger_version": tagger_version,
            "tags": counts.get(item.text.text_id, 0), "known_on": item.known_on, "read_at": read_at,
        }
        for item in batch
    ]
    with transaction(connection):
        add_rows(connection, TAGS, rows)
        add_rows(connection, READINGS, readings)
