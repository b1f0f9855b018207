"""The asset that reads texts, with a language model on loopback."""

from types import SimpleNamespace

import dagster as dg
import pytest
from llm_server import KEY, LlmServer
from text_warehouse import DAY, add, prepare

from expansion_assets.defs.resources import Warehouse
from expansion_assets.defs.text import assets
from expansion_assets.settings import Settings
from expansion_assets.store.warehouse import connect, fetch_rows


@pytest.fixture
def server():
    server = LlmServer()
    yield server
    server.close()


@pytest.fixture
def materialize(tmp_path, monkeypatch, server):
    path = tmp_path / "warehouse.duckdb"
    with connect(path) as connection:
        prepare(connection)
        add(connection, 20)

    def run(**given):
        settings = Settings(
            tagger="llm", llm_base_url=server.url, llm_http_retries=0, llm_spare_empty=False,
            **{"llm_api_key": KEY} | given,
        )
        monkeypatch.setattr(assets, "load_workspace", lambda: SimpleNamespace(settings=settings))
        result = dg.materialize(
            [assets.text], partition_key=DAY.isoformat(), resources={"warehouse": Warehouse(path=str(path))},
            raise_on_error=False,
        )
        with connect(path) as connection:
            return result, fetch_rows(connection, "select status, count(*) as n from text.readings group by all")

    return run


def test_a_run_tells_what_it_read_and_paid(materialize, server):
    result, readings = materialize()
    assert result.success and readings == [{"status": "read", "n": 20}]
    (event,) = result.asset_materializations_for_node("text")[:1]
    told = {name: value.value for name, value in event.metadata.items()}
    assert (told["texts_read"], told["tags"], told["paid_answers"]) == (20, 20, 3)
    assert told["cost"] == pytest.approx(3 * (100 * 0.4 + 10 * 1.6) / 1e6)
    assert told["tagger"].startswith("llm-gpt-4.1-mini-")
    assert len(materialize()[1]) == 1 and len(server.arrived) == 3, "a second run sends nothing"


def test_a_wrong_key_fails_the_run_with_one_line(materialize):
    result, readings = materialize(llm_api_key="wrong")
    error = result.failure_data_for_node("text").error
    while error.cause:
        error = error.cause
    message = "the endpoint refuses the key (HTTP 401): check EXPANSION_LLM_API_KEY"
    assert message in error.message.strip().splitlines()[0]
    assert not result.success and readings == []


def test_an_endpoint_that_is_down_stops_nothing_downstream(materialize, server):
    server.always = "500"
    result, readings = materialize(llm_in_flight=1)
    assert result.success and readings == [{"status": "queued", "n": 20}]
