"""Two taggers in one warehouse, compared.

Belongs here: who read what. Does not belong here: counting (``tagging/agreement.py``).
"""

from __future__ import annotations

from pathlib import Path

from expansion_assets.store.warehouse import connect, fetch_rows
from expansion_assets.tagging.agreement import Labelled, render


class NothingToCompareError(RuntimeError):
    """Fewer than two taggers have read texts, or one that was named has read none."""


def agreement_report(path: Path, first: str | None = None, second: str | None = None) -> str:
    """Compare two tagger versions; by default the two that read last, the newer one second.

    Raises:
        NothingToCompareError: says which versions there are.
    """
    with connect(path, read_only=True) as connection:
        versions = [row["tagger_version"] for row in fetch_rows(
            connection, "select tagger_version from text.readings where coalesce(status, 'read') in ('read', 'spared')"
            " group by tagger_version order by max(read_at), tagger_version",
        )]
        unknown = [version for version in (first, second) if version and version not in versions]
        if unknown or len(versions) < 2:
            there = ", ".join(versions) or "none"
            raise NothingToCompareError(f"{'no ' + unknown[0] if unknown else 'two are needed'}; taggers here: {there}")
        newer = second or next(version for version in reversed(versions) if version != first)
        older = first or next(version for version in reversed(versions) if version != newer)
        rows = fetch_rows(
            connection,
            """
            select readings.tagger_version, readings.text_id || '#' || left(readings.content_hash, 8) as text,
                list(distinct label) filter (
                    where is_quote_found and polarity = 'affirmed' and not coalesce(is_unsure, false)
                ) as labels
            from text.readings as readings left join text.tags as tags
                using (text_id, content_hash, tagger_version)
            where coalesce(status, 'read') in ('read', 'spared') and tagger_version in ($1, $2)
            group by all
            """,
            [older, newer],
        )
    read: dict[str, dict[str, list[str]]] = {older: {}, newer: {}}
    for row in rows:
        read[row["tagger_version"]][row["text"]] = row["labels"] or []
    labelled: tuple[Labelled, Labelled] = (read[older], read[newer])
    return render((older, newer), *labelled)
