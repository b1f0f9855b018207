"""A warehouse with texts, and an endpoint that reads them."""

import duckdb
import pytest
from llm_server import LlmServer
from text_warehouse import prepare


@pytest.fixture
def warehouse():
    with duckdb.connect() as connection:
        prepare(connection)
        yield connection


@pytest.fixture
def server():
    server = LlmServer()
    yield server
    server.close()
