"""Resources: the warehouse, held by one run at a time."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg
import duckdb
from pydantic import PrivateAttr

from expansion_assets.store import warehouse
from expansion_assets.workspace import load_workspace

RUN_LOCK_WAIT_SECONDS = 3600.0


class Warehouse(dg.ConfigurableResource):
    """The embedded warehouse.

    A run holds an operating-system lock from its first step to its last, so that two runs (one of the UI, one of the
    command line) never interleave their windows. The lock falls with the process: a killed run leaves nothing behind.
    """

    path: str
    _open: ExitStack | None = PrivateAttr(default=None)
    _shared: duckdb.DuckDBPyConnection = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        """Hold the run lock for as long as the run's resources live."""
        lock_file = Path(self.path).with_suffix(".lock")
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        with lock_file.open("w") as handle:
            deadline = time.monotonic() + RUN_LOCK_WAIT_SECONDS
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise warehouse.WarehouseBusyError(
                            f"{lock_file}: another run has held the warehouse for {RUN_LOCK_WAIT_SECONDS:.0f} s"
                        ) from None
                    time.sleep(0.5)
            try:
                yield self
            finally:
                self.release()

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of this run. The file stays open between steps: each opening costs 40 ms, 150 times a run."""
        if self._open is None:
            self._open = ExitStack()
            self._shared = self._open.enter_context(warehouse.connect(Path(self.path)))
        with self._shared.cursor() as cursor:
            warehouse.set_session(cursor)
            yield cursor

    def release(self) -> None:
        """Let go of the file, for dbt, which opens it with settings of its own."""
        if self._open is not None:
            self._open.close()
            self._open = None


@dg.definitions
def resources() -> dg.Definitions:
    """Resources shared by all assets, and the executor: steps share one process, for there is one writer."""
    settings = load_workspace().settings
    return dg.Definitions(
        resources={"warehouse": Warehouse(path=str(settings.warehouse_path))},
        executor=dg.in_process_executor,
    )
