"""Internals of dagster and dagster-dbt that two modules lean on; an upgrade that moves them fails here first."""

import inspect
import sqlite3

import dagster as dg
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from expansion_assets.defs.run_history import BatchedSqliteEventLogStorage

DAYS = dg.DailyPartitionsDefinition("2025-07-01", end_date="2025-09-01")


def test_dagster_dbt_turns_raw_events_into_dagster_events():
    arguments = inspect.signature(DbtCoreCliEventMessage.to_default_asset_events).parameters
    assert list(arguments)[:4] == ["self", "manifest", "dagster_dbt_translator", "context"]
    assert {"raw_event", "event_history_metadata"} <= set(inspect.signature(DbtCoreCliEventMessage).parameters)


def test_dagster_dbt_selects_what_the_run_selected():
    arguments = inspect.signature(get_updated_cli_invocation_params_for_context).parameters
    assert {"context", "manifest", "dagster_dbt_translator"} <= set(arguments)


def test_a_range_is_stored_as_dagster_reads_it(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "400")
    calls: list[int] = []
    original = BatchedSqliteEventLogStorage.store_event_batch
    monkeypatch.setattr(
        BatchedSqliteEventLogStorage, "store_event_batch",
        lambda self, events: (calls.append(len(events)), original(self, events))[1],
    )

    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": len(context.partition_keys)})

    @dg.asset_check(asset=table, name="days", partitions_def=DAYS)
    def days_check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    config = {
        "event_log_storage": {
            "module": "expansion_assets.defs.run_history", "class": "BatchedSqliteEventLogStorage",
            "config": {"base_dir": str(tmp_path / "history")},
        }
    }
    with dg.instance_for_test(overrides=config, temp_dir=str(tmp_path)) as instance:
        result = dg.materialize(
            [table, days_check], instance=instance,
            tags={
                "dagster/asset_partition_range_start": "2025-07-01",
                "dagster/asset_partition_range_end": "2025-08-31",
            },
        )
        assert result.success
        assert instance.get_materialized_partitions(dg.AssetKey("table")) == set(DAYS.get_partition_keys())
        latest = instance.get_latest_materialization_event(dg.AssetKey("table"))
        assert latest is not None
        assert latest.asset_materialization.metadata["rows"].value == 62
        key = dg.AssetCheckKey(dg.AssetKey("table"), "days")
        history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
        assert [(record.partition, record.status.value) for record in history] == [(None, "SUCCEEDED")]
    assert 62 in calls
    with sqlite3.connect(tmp_path / "history" / f"{result.run_id}.db") as database:
        found = database.execute("select count(*) from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION'")
        assert found.fetchone() == (62,)
