"""dbt inside the run's own process: the one place that leans on dagster-dbt's internals.

The official resource starts ``dbt`` as a child: 24-27 CPU s for a cold daily job against 17-19 here, and 13 against 2.5
for each further day in one process (2 cores, dbt-core 1.11.16). ``tests/defs/test_internals.py`` fails when the
internals used here move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import dagster as dg
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from expansion_assets.project import DbtError, common_arguments, read_parsed
from expansion_assets.settings import Settings

_RESULT_EVENTS = ("LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult")


def build(context: dg.AssetExecutionContext, settings: Settings, manifest: Mapping[str, Any]) -> Iterator[Any]:
    """Build the models and tests that the run selected, and yield Dagster's events for them.

    Args:
        context: Execution context of a ``@dbt_assets`` body.
        settings: Where warehouse and target stand.
        manifest: The parsed manifest, as a dictionary.

    Raises:
        DbtError: a model or an error-severity test failed; the events of what was built have been yielded by then.
    """
    from dagster_dbt import DagsterDbtTranslator
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    translator = DagsterDbtTranslator()
    parameters = get_updated_cli_invocation_params_for_context(
        context=context, manifest=manifest, dagster_dbt_translator=translator
    )
    events: list[dict[str, Any]] = []
    runner = _runner(settings)
    runner.callbacks = [lambda message: _collect(message, events)]
    arguments = ["--quiet", "build", *parameters.selection_args, "--exclude-resource-type", "unit_test"]
    # buildable: a test waits for the step that has built all of its models.
    arguments += [*common_arguments(settings), "--indirect-selection", parameters.indirect_selection or "buildable"]
    try:
        result = runner.invoke(arguments)
    finally:
        # Else dbt keeps the file open and the next connect() of this process fails.
        DuckDBConnectionManager.close_all_connections()
        runner.callbacks = []
    for event in events:
        message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        yield from message.to_default_asset_events(manifest, parameters.dagster_dbt_translator, context)
    if not result.success:
        raise DbtError("; ".join(_failures(result)) or f"dbt build: {result.exception}")


@lru_cache
def _runner(settings: Settings) -> Any:
    """One runner, and one parsed project, for all dbt steps of a process."""
    from dbt.cli.main import dbtRunner

    return dbtRunner(manifest=read_parsed(settings))


def _collect(message: Any, events: list[dict[str, Any]]) -> None:
    if message.info.name not in _RESULT_EVENTS:
        return
    from google.protobuf.json_format import MessageToDict

    events.append(MessageToDict(message, preserving_proto_field_name=True))


def _failures(result: Any) -> list[str]:
    outcomes = getattr(result.result, "results", None) or []
    return [
        f"{outcome.node.name}: {(outcome.message or outcome.status).splitlines()[0]}"
        for outcome in outcomes
        if outcome.status in ("error", "fail", "runtime error")
    ]
