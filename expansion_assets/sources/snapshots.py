"""Full snapshots as versions: what changed, what vanished, what came back.

Belongs here: comparing snapshots in turn. Does not belong here: reading them or writing versions.

A row that a snapshot no longer has is gone from that snapshot's known time on. A row that stands there broken is not
gone: it keeps its version. A snapshot with a row whose key cannot be read says nothing about what is absent from it.
"""

from __future__ import annotations

import duckdb

from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.report import LandingReport, Window
from expansion_assets.sources.sql import quoted


def keep_changes(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, window: Window, report: LandingReport
) -> None:
    """Turn the snapshots in ``staged`` into changes: unchanged rows leave, vanished ones come in as deletions.

    The state before the window is that of ``raw.<table>``. ``report`` gets the counts; rows it counted stay counted.
    """
    own = ", ".join(quoted(name) for name in contract.stored_columns)
    connection.execute(
        """
        create or replace temp table snapshots as
        select row_number() over (order by known_from) as snapshot_no, known_from, any_value(source_file) as file,
            bool_and(row_key is not null) as is_complete
        from staged where known_from is not null and source_row > 0
        group by known_from
        """
    )
    connection.execute(
        f"""
        create or replace temp table observed as
        with seen as (
            select row_key, 0 as snapshot_no, 0 as source_row, row({own}) as content
            from raw.{contract.name}
            where known_from < timestamp '{window.known_from}'
                and (known_to is null or known_to >= timestamp '{window.known_from}')
            union all
            select row_key, snapshot_no, min(source_row) filter (where rule is null),
                any_value(row({own})) filter (where rule is null)
            from staged join snapshots using (known_from)
            where row_key is not null
            group by row_key, snapshot_no
        ),
        placed as (
            select *,
                lead(snapshot_no) over later as next_no,
                lag(snapshot_no) over later as previous_no,
                last_value(content ignore nulls) over (
                    partition by row_key order by snapshot_no rows between unbounded preceding and 1 preceding
                ) as previous_content
            from seen
            window later as (partition by row_key order by snapshot_no)
        )
        select *, (
                select min(known_from) from snapshots
                where is_complete and snapshots.snapshot_no > placed.snapshot_no
                    and snapshots.snapshot_no < coalesce(placed.next_no, 1000000000)
            ) as gone_from,
            exists (
                select 1 from snapshots
                where is_complete and snapshots.snapshot_no < placed.snapshot_no
                    and snapshots.snapshot_no > placed.previous_no
            ) as is_back
        from placed
        """
    )
    connection.execute(
        """
        delete from staged using observed, snapshots
        where staged.rule is null and staged.row_key = observed.row_key and staged.known_from = snapshots.known_from
            and snapshots.snapshot_no = observed.snapshot_no and observed.previous_content = observed.content
            and not observed.is_back
        """
    )
    [(report.rows_unchanged,)] = connection.execute(
        """
        select count(*) from observed
        where snapshot_no > 0 and content is not null and previous_content = content and not is_back
        """
    ).fetchall()
    connection.execute(
        """
        insert into staged (row_key, known_from, is_known_at_assumed, source_file, source_row, is_gone)
        select row_key, gone_from, false, snapshots.file, 0, true
        from observed join snapshots on snapshots.known_from = observed.gone_from
        """
    )
