"""A product database in whole runs: what it does not deliver is blind and the run goes on; then it delivers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "sources"))
from postgres_server import INSTALL, Server, running_server, server_programs

DSN = "PRODUCT_DSN"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    programs = server_programs()
    if programs is None:
        pytest.skip(INSTALL)
    with running_server(programs) as started:
        started.execute(
            "create table users (id text, workspace text, email text, created_at timestamptz, updated_at timestamptz)",
            "insert into users select 'U' || n, 'A1', 'u' || n || '@acme.com', now() - interval '9 days',"
            " now() - n * interval '1 hour' from generate_series(1, 5) n",
        )
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A mapping of one CSV file and one database table, whose history starts yesterday."""
    folder = tmp_path_factory.mktemp("postgres")
    (folder / "shop").mkdir()
    (folder / "data").mkdir()
    (folder / "data" / "accounts.csv").write_text("id,name,at\nA1,Acme,2025-01-01\n")
    users = {"user_id": "id", "account_id": "workspace", "email": "email", "user_kind": {"value": "employee"},
             "created_at": "created_at", "updated_at": "updated_at"}
    (folder / "shop" / "mapping.yml").write_text(yaml.safe_dump({
        "name": "shop", "description": "shop", "first_day": (datetime.now(tz=UTC) - timedelta(days=1)).date(),
        "tables": {
            "crm_accounts": {"files": "accounts.csv", "format": "csv",
                             "columns": {"account_id": "id", "name": "name", "updated_at": "at"}},
            "product_users": {"postgres": {"dsn_env": DSN, "table": "public.users", "cursor": "updated_at"},
                              "columns": users},
        },
    }))
    return folder


def rows(folder: Path, query: str) -> list[tuple]:
    path = folder / "state" / "workspaces" / "shop" / "warehouse" / "expansion.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_database_that_does_not_answer_is_blind_and_one_that_does_is_loaded(folder, command, server, monkeypatch):
    arguments = ("--sources", str(folder / "shop"), "--data", str(folder / "data"))
    monkeypatch.setenv(DSN, "postgresql://app:hunter2@127.0.0.1:1/shop")
    finished = command(folder / "state", *arguments, "backfill")
    lines = {line for line in finished.stderr.splitlines() if "public.users" in line}
    assert len(lines) == 1, finished.stderr
    assert lines.pop().startswith("product_users: public.users on 127.0.0.1:1/shop: connection to server")
    blind = rows(folder, "select reason from readiness.coverage where trigger = 'USAGE_MILESTONE'"
                         " qualify as_of_date = max(as_of_date) over ()")
    assert ["public.users on 127.0.0.1:1/shop" in reason for (reason,) in blind] == [True]
    assert rows(folder, "select count(*) from raw.crm_accounts") == [(1,)]
    published = folder / "state" / "workspaces" / "shop" / "published"
    written = "".join(path.read_text() for suffix in ("html", "md", "json") for path in published.rglob(f"*.{suffix}"))
    assert "hunter2" not in written + finished.stdout + finished.stderr

    monkeypatch.setenv(DSN, server.dsn())
    command(folder / "state", *arguments, "run")
    assert rows(folder, "select user_id, version_no from raw.product_users order by 1") == [
        (f"U{n}", 1) for n in range(1, 6)
    ]
