"""What reading texts with a language model costs, and what was decided about it.

Belongs here: sums over ``text.usage``, by model and day, per text, per firing, per accepted card. Does not belong here:
the price of an answer (``tagging/llm/prices.py``), the ceiling (``tagging/llm/ceiling.py``).

A sum with an answer in it that has no price is unpriced: None, never too low.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from expansion_assets.scan.text_reading import money
from expansion_assets.store.warehouse import fetch_rows

Row = dict[str, Any]


def reading_summary(connection: duckdb.DuckDBPyConnection, day: date) -> Row | None:
    """What the scan of a day says of reading texts; None where no language model was asked to read that day's texts."""
    decided = fetch_rows(
        connection,
        """
        select * from text.spending
        where first_day <= $1 and last_day >= $1 and decided_at = (
            select max(decided_at) from text.spending where first_day <= $1 and last_day >= $1
        )
        order by step <> 'normal', step
        """,
        [day],
    )
    if not decided:
        return None
    month = decided[0]["decided_at"].date().replace(day=1)
    (used,) = fetch_rows(
        connection,
        """
        select count(*) as answers, sum(cost) as cost, count(*) filter (where cost is null) as unpriced
        from text.usage where used_on >= $1 and used_on < $1::date + interval 1 month
        """,
        [month],
    )
    statuses = fetch_rows(
        connection,
        """
        select coalesce(status, 'read') as status, count(*) as texts
        from text.readings where known_on = $1 and (tagger_version = $2 or stands_in_for = $2)
        group by all order by all
        """,
        [day, decided[0]["wanted_version"]],
    )
    return {
        "taggers": [row["tagger_version"] for row in decided if row["tagger_version"]],
        "decisions": [{name: row[name] for name in ("step", "texts", "estimate")} for row in decided],
        "texts": {row["status"]: row["texts"] for row in statuses},
        "month": month,
        "spent": None if used["unpriced"] else used["cost"] or 0.0,
        "unpriced_answers": used["unpriced"],
        "ceiling": decided[0]["ceiling"],
        "currency": decided[0]["currency"],
        "unproven": unproven_by_tagger(connection),
        "per": unit_costs(connection),
    }


def costs_by_model_and_day(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """``used_on, model, transport, answers, texts, tokens_in, tokens_out, cost, currency``, newest first."""
    return fetch_rows(
        connection,
        """
        select used_on, model, transport, count(*) as answers, sum(texts) as texts, sum(tokens_in) as tokens_in,
            sum(tokens_out) as tokens_out, case when count(cost) = count(*) then sum(cost) end as cost, currency
        from text.usage group by all order by used_on desc, model, transport
        """,
    )


def unit_costs(connection: duckdb.DuckDBPyConnection) -> Row:
    """Everything paid so far, per text that was read, per firing and accepted card that rest on a quote from one."""
    (row,) = fetch_rows(
        connection,
        """
        with paid_readings as (
            select text_id, content_hash, tagger_version from text.readings where request_id is not null
                and status = 'read'
        ),
        paid_firings as (
            select distinct evidence.firing_id
            from triggers.evidence as evidence
            inner join text.tags as tags using (tag_id)
            inner join paid_readings using (text_id, content_hash, tagger_version)
        ),
        accepted as (
            select distinct cards.card_id
            from readiness.card_reviews as reviews inner join readiness.cards as cards using (card_id)
            inner join paid_firings on contains(cards.firing_ids, paid_firings.firing_id)
            where reviews.event_type = 'accepted'
        )
        select
            (select case when count(cost) = count(*) then sum(cost) end from text.usage) as cost,
            (select count(*) from paid_readings) as texts,
            (select count(*) from paid_firings) as firings,
            (select count(*) from accepted) as accepted_cards
        """,
    )
    cost = row.pop("cost")
    return {
        name: {"count": count, "cost": None if cost is None or not count else cost / count}
        for name, count in row.items()
    }


def unproven_by_tagger(connection: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    """Tags of each language model whose quote does not stand in the text: they reach nobody."""
    rows = fetch_rows(
        connection,
        """
        select tagger_version, count(*) as tags, count(*) filter (where not is_quote_found) as unproven
        from text.tags where tagger_version in (select tagger_version from text.usage) group by all order by all
        """,
    )
    return {row.pop("tagger_version"): row for row in rows}


def costs_report(connection: duckdb.DuckDBPyConnection) -> str:
    """Costs as plain text."""
    rows = costs_by_model_and_day(connection)
    if not rows:
        return "no language model was paid for anything"
    lines = [f"{'day':<12}{'model':<24}{'by':<7}{'answers':>8}{'texts':>7}{'in':>10}{'out':>9}{'cost':>14}"]
    lines += [
        f"{row['used_on']!s:<12}{row['model']:<24}{row['transport']:<7}{row['answers']:>8}{row['texts']:>7}"
        f"{_cell(row['tokens_in']):>10}{_cell(row['tokens_out']):>9}{money(row['cost'], row['currency']):>14}"
        for row in rows
    ]
    currency = rows[0]["currency"]
    lines.append("")
    for name, found in unit_costs(connection).items():
        unit = name.replace("_", " ").removesuffix("s")
        told = f"{money(found['cost'], currency)} ({found['count']})" if found["count"] else "none so far"
        lines.append(f"per {unit}: {told}")
    for tagger, found in unproven_by_tagger(connection).items():
        lines.append(f"{tagger}: {found['unproven']} of {found['tags']} tags without a proven quote")
    return "\n".join(lines)


def _cell(value: int | None) -> str:
    return "-" if value is None else str(value)
