"""Run history that takes a batch of events at once: SQLite, one transaction per batch.

Dagster stores one event per asset and day, each in an engine, a connection and a transaction of its own (4.6 CPU ms): a
year of this project is 25,000 of them, a single day 2,000. Here connections stay open, a batch is one transaction, the
days of an asset are one insert, and a planned range is one event. A check judges the days of its run as one: Dagster
plans one row a day (9 s of a year) and never settles them.
``dagster.yaml`` names this class; ``DAGSTER_EVENT_BATCH_SIZE`` switches Dagster's batches on.
``tests/defs/test_internals.py`` fails when the internals used here move.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import serialize_value
from sqlalchemy.pool import StaticPool

_MOST_OPEN_RUNS = 16


def _wait_for_no_disk(connection: Any, _: Any) -> None:
    """Sync at checkpoints, not at each event: SQLite's own advice for its write-ahead log.

    A killed process loses nothing, a power cut at most the last events of a run that it killed as well.
    """
    connection.execute("pragma synchronous = normal")


class BatchedSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's own SQLite event log with a set-based write of an asset's days."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        """See ``SqliteEventLogStorage``."""
        self._tables_found: set[str] = set()
        self._engines: dict[str, sa.Engine] = {}
        self._batch: dict[str, sa.Connection] = {}
        super().__init__(base_dir, inst_data)
        self._db_lock = threading.RLock()  # type: ignore[assignment]  # a batch connects twice before it lets go

    def has_table(self, table_name: str) -> bool:
        """Ask the database once: Dagster asks before each asset event, with an engine of its own (1.5 ms)."""
        if table_name not in self._tables_found and super().has_table(table_name):
            self._tables_found.add(table_name)
        return table_name in self._tables_found

    @classmethod
    def config_type(cls) -> dict[str, dg.Field]:
        """``base_dir``, by default a folder of DAGSTER_HOME, or a temporary one where nobody set a home."""
        return {"base_dir": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> BatchedSqliteEventLogStorage:
        """Build from ``dagster.yaml``."""
        home = os.environ.get("DAGSTER_HOME") or tempfile.mkdtemp(prefix="dagster-")
        return cls(config_value.get("base_dir") or str(Path(home) / "history"), inst_data)

    @property
    def supports_partition_subset_in_asset_materialization_planned_events(self) -> bool:
        """One planned event for a range of days instead of one a day."""
        return True

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        """A transaction on one database: the batch's own where one is open, else a new one on a kept engine."""
        with self._db_lock:
            if shard in self._batch:
                yield self._batch[shard]
                return
            if shard not in self._engines or shard not in self._initialized_dbs:
                self._engines[shard] = self._kept_engine(shard)
                self._initdb(self._engines[shard])
                self._initialized_dbs.add(shard)
            with self._engines[shard].begin() as connection:
                yield connection

    def _kept_engine(self, shard: str) -> sa.Engine:
        """An engine with one open connection, which the lock hands from thread to thread.

        Opening and closing took 3 of the 4 ms of a read. The web server reads a shard for each run it shows, hence the
        bound on open files.
        """
        shards_of_runs = [name for name in self._engines if name != INDEX_SHARD_NAME]
        for name in shards_of_runs[: max(0, len(shards_of_runs) - _MOST_OPEN_RUNS)]:
            self._engines.pop(name).dispose()
        engine = sa.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        sa.event.listen(engine, "connect", _wait_for_no_disk)
        return engine

    def dispose(self) -> None:
        """Close what is open."""
        with self._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
        super().dispose()

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store the events of one run, all or nothing; the days of one asset as one insert per database."""
        run_id = events[0].run_id
        with self._db_lock, self.run_connection(run_id) as run, self.index_connection() as index:
            self._batch = {run_id: run, INDEX_SHARD_NAME: index}
            try:
                if self._are_days_of_one_asset(events):
                    self._store_days(events, run, index)
                else:
                    super().store_event_batch(events)
            finally:
                self._batch = {}

    def _store_days(self, events: Sequence[dg.EventLogEntry], run: sa.Connection, index: sa.Connection) -> None:
        rows = [self._event_to_row(event) for event in events]
        run.execute(SqlEventLogStorageTable.insert(), rows)
        index.execute(SqlEventLogStorageTable.insert(), rows)
        # Ids count up without a gap inside a transaction that holds SQLite's one write lock.
        last_id: int = index.execute(sa.select(sa.func.max(SqlEventLogStorageTable.c.id))).scalar_one()
        self._store_asset_event_tags(index, events, list(range(last_id - len(rows) + 1, last_id + 1)))
        self._store_asset_event(index, events[-1], last_id)

    def _store_asset_check_evaluation_planned(self, event: dg.EventLogEntry, event_id: int | None) -> None:
        """Plan one verdict for the days of a run: Dagster plans one a day, and the one that comes would match none."""
        planned = event.get_dagster_event().asset_check_planned_data
        with self.index_connection() as connection:
            connection.execute(
                AssetCheckExecutionsTable.insert().values(
                    asset_key=planned.asset_key.to_string(),
                    check_name=planned.check_name,
                    run_id=event.run_id,
                    execution_status=AssetCheckExecutionRecordStatus.PLANNED.value,
                    evaluation_event=serialize_value(event),
                    evaluation_event_timestamp=self._event_insert_timestamp(event),
                    evaluation_event_storage_id=event_id,
                )
            )

    @staticmethod
    def _are_days_of_one_asset(events: Sequence[dg.EventLogEntry]) -> bool:
        return (
            all(event.dagster_event is not None and event.dagster_event.is_step_materialization for event in events)
            and len({(event.run_id, event.get_dagster_event().asset_key) for event in events}) == 1
        )
