"""``make ui``: the location loads, the lineage is drawn, a range is one run, also beside a run of the command line."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.states import environment
from tests.e2e.ui import Ui, held, served, started, wait_until

WORLD = {"world_accounts": 12, "world_months": 2}
GROUPS = {"raw", "features", "text", "triggers", "readiness", "outcomes", "publish"}
TABLES = [["raw", "crm_accounts"], ["raw", "product_features"]]
RANGE = ["2026-05-10", "2026-05-11", "2026-05-12"]
COMMAND_LINE_DAY = "2026-05-20"
# The daemon looks at backfills every 30 s; a run of this world's first day took 52 s beside two other jobs on 2 cores.
BACKFILL_SECONDS, RUN_SECONDS = 120, 240
# A page without content compresses to 8 kB at the size of the window, the drawn ones to over 100 kB.
BLANK_PAGE_BYTES = 30_000

LAUNCH = """mutation ($backfill: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $backfill) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
BACKFILL = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
  status error { message } runs(limit: 10) { status tags { key value } stepStats { startTime endTime }
  assetMaterializations { assetKey { path } partition } } } } }"""
DAILY_SCANS = """{ runsOrError(filter: {pipelineName: "daily_scan"}) { ... on Runs { results {
  status stepStats { startTime endTime } } } } }"""


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment(tmp_path_factory.mktemp("ui"), **WORLD)


@pytest.fixture(scope="module")
def state(env: dict[str, str]) -> Path:
    return Path(env["EXPANSION_STATE_DIR"])


@pytest.fixture(scope="module")
def ui(state: Path, env: dict[str, str]) -> Iterator[Ui]:
    with started(state / "world.log", env, "world") as world:
        assert world.wait(60) == 0, (state / "world.log").read_text()
    with served(state, env) as ui:
        yield ui


@pytest.fixture(scope="module")
def nodes(ui: Ui) -> list[dict[str, Any]]:
    found = ui.ask("{ assetNodes { assetKey { path } groupName isMaterializable } }")["assetNodes"]
    return [node for node in found if node["isMaterializable"]]


def test_all_assets_and_groups_are_there(nodes):
    groups = Counter(node["groupName"] for node in nodes)
    assert set(groups) == GROUPS
    assert groups.total() >= 100


def test_the_ui_starts_without_a_complaint_of_dagster(ui, state):
    log = (state / "ui.log").read_text()
    assert not re.findall(r"WARNING|ERROR|SupersessionWarning|Traceback", log), log[:3000]


@pytest.mark.chromium
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
@pytest.mark.parametrize(("name", "page", "expected"), [
    ("groups", "/asset-groups", GROUPS),
    ("neighbours", "/assets/triggers/firing_events?view=lineage&lineageScope=neighbors",
     {"account_day", "usage_milestone", "role_change", "cross_team", "firing_events", "gate_results", "cards"}),
])
def test_the_lineage_is_drawn(ui, state, name, page, expected):
    folder = state / name
    document = ui.page(page, folder)
    # Nodes of the graph; the side bar before them names groups and assets too.
    assert expected <= set(re.findall(r">([a-z_]+)<", document[document.index("<foreignObject") :]))
    assert (folder / "page.png").stat().st_size > BLANK_PAGE_BYTES


def test_a_range_is_one_run_while_a_command_line_run_holds_the_warehouse(ui, state, env):
    def backfill() -> dict[str, Any]:
        return ui.ask(BACKFILL, id=launched["backfillId"])["partitionBackfillOrError"]

    def scans() -> list[dict[str, Any]]:
        return ui.ask(DAILY_SCANS)["runsOrError"]["results"]

    def has_run() -> bool:
        found = backfill()
        assert not found["status"].startswith("FAIL"), found["error"]
        return bool(found["runs"])

    with started(state / "run.log", env, "run", "--date", COMMAND_LINE_DAY) as command_line:
        # The lock keeps the command line at its first step until the backfill's run is there: they do overlap.
        with held(state / "warehouse" / "expansion.lock"):
            wait_until(lambda: [run for run in scans() if run["status"] == "STARTED"], RUN_SECONDS)
            launched = ui.ask(LAUNCH, backfill={
                "assetSelection": [{"path": path} for path in TABLES], "partitionNames": RANGE,
            })["launchPartitionBackfill"]
            assert launched["__typename"] == "LaunchBackfillSuccess", launched
            wait_until(has_run, BACKFILL_SECONDS)
        assert command_line.wait(RUN_SECONDS) == 0, (state / "run.log").read_text()
    wait_until(lambda: backfill()["status"].startswith(("COMPLETED", "FAIL", "CANCEL")), BACKFILL_SECONDS)

    found = backfill()
    assert found["status"] == "COMPLETED_SUCCESS", found["error"]
    [run] = found["runs"]
    assert run["status"] == "SUCCESS"
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert tags["dagster/asset_partition_range_start"] == RANGE[0]
    assert tags["dagster/asset_partition_range_end"] == RANGE[-1]
    written = Counter((event["assetKey"]["path"][-1], event["partition"]) for event in run["assetMaterializations"])
    assert written == Counter((path[-1], day) for path in TABLES for day in RANGE)
    [scan] = scans()
    assert scan["status"] == "SUCCESS"
    # One after the other: their windows never interleave.
    assert min(step["startTime"] for step in run["stepStats"]) >= max(step["endTime"] for step in scan["stepStats"])
