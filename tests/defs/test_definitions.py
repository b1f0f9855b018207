"""The code location loads, and its shape is what readers of the lineage rely on."""

from __future__ import annotations

from collections import Counter

import dagster as dg
import pytest

from expansion_assets.definitions import defs
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.tables import PYTHON_TABLES

LAYERS = {"raw", "features", "text", "triggers", "readiness", "outcomes", "publish"}


@pytest.fixture(scope="module")
def loaded() -> dg.Definitions:
    return defs()


@pytest.fixture(scope="module")
def graph(loaded: dg.Definitions):
    return loaded.resolve_asset_graph()


def test_every_contract_is_an_asset_and_every_asset_is_in_a_layer(graph):
    keys = graph.materializable_asset_keys
    assert {dg.AssetKey(["raw", name]) for name in load_contracts()} <= keys
    groups = Counter(graph.get(key).group_name for key in keys)
    assert set(groups) == LAYERS
    assert groups["raw"] == len(load_contracts())


def test_python_tables_are_assets_except_control_and_intermediate_ones(graph):
    # What checks found is written by the checks.
    without_asset = ("control", "publish", "quality")
    written = {dg.AssetKey([table.schema, table.name]) for table in PYTHON_TABLES if table.schema not in without_asset}
    assert written - graph.materializable_asset_keys == {dg.AssetKey(["triggers", "detections"])}


def test_data_flows_one_way(graph):
    order = ["raw", "features", "text", "triggers", "readiness", "outcomes", "publish"]
    rank = {layer: place for place, layer in enumerate(order)}
    backwards = [
        (parent.to_user_string(), key.to_user_string())
        for key in graph.materializable_asset_keys
        for parent in graph.get(key).parent_keys
        if parent in graph.materializable_asset_keys
        and rank[graph.get(parent).group_name] > rank[graph.get(key).group_name]
    ]
    assert backwards == []


def test_partitioned_assets_share_one_definition_and_backfill_in_one_run(graph):
    partitioned = [graph.get(key) for key in graph.materializable_asset_keys if graph.get(key).partitions_def]
    assert len({node.partitions_def for node in partitioned}) == 1
    assert {node.backfill_policy for node in partitioned} == {dg.BackfillPolicy.single_run()}
    nodes = [graph.get(key) for key in graph.materializable_asset_keys]
    unpartitioned = {node.group_name for node in nodes if not node.partitions_def}
    assert unpartitioned == {"features"}, "only staging views and intermediate tables hold no days"


@pytest.mark.parametrize(
    ("name", "cron", "status"),
    [
        ("daily_scan_schedule", "0 5 * * *", dg.DefaultScheduleStatus.RUNNING),
        ("weekly_digest_schedule", "0 7 * * 1", dg.DefaultScheduleStatus.RUNNING),
        ("monthly_review_schedule", "0 8 1 * *", dg.DefaultScheduleStatus.RUNNING),
    ],
)
def test_schedules(loaded, name, cron, status):
    schedule = loaded.resolve_schedule_def(name)
    assert (schedule.cron_schedule, schedule.default_status) == (cron, status)


def test_the_failure_sensor_is_off(loaded):
    assert loaded.resolve_sensor_def("run_failed").default_status is dg.DefaultSensorStatus.STOPPED


def test_blocking_checks_stand_where_a_wrong_row_would_reach_a_person(graph):
    blocking = {
        (key.asset_key.to_user_string(), key.name)
        for key in graph.asset_check_keys
        if graph.get(key).blocking
    }
    assert {
        ("text/tags", "great_expectations"), ("text/tags", "quotes_stand_in_their_texts"),
        ("triggers/firing_events", "great_expectations"), ("readiness/cards", "great_expectations"),
        ("publish/manager_scan", "scan_totals_equal_the_marts"),
    } <= blocking


def test_raw_assets_have_a_freshness_policy_and_descriptions_are_there(graph):
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key.to_user_string()
        if node.group_name == "raw":
            assert node.freshness_policy is not None
