"""A real PostgreSQL server for a test session, from the installed server programs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER, PASSWORD = "app", "s3cret/pass word"
_QUOTED_PASSWORD = "s3cret%2Fpass%20word"
INSTALL = "no PostgreSQL server programs found (initdb, postgres): install them, e.g. `apt-get install postgresql`"


def server_programs() -> Path | None:
    """Folder of initdb, postgres and pg_ctl; None when they are not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if all((folder / name).exists() for name in _PROGRAMS)), None)


_PROGRAMS = ("initdb", "postgres", "pg_ctl")


@dataclass
class Server:
    """A running server on loopback."""

    port: int
    folder: Path
    programs: Path

    def dsn(self, database: str = "postgres", password: str = _QUOTED_PASSWORD) -> str:
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run statements, each committed by itself."""
        with self.connect(database, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def connect(self, database: str = "postgres", *, autocommit: bool = False) -> Iterator[Any]:
        import adbc_driver_postgresql.dbapi as driver

        connection = driver.connect(self.dsn(database), autocommit=autocommit)
        try:
            yield connection
        finally:
            connection.close()


def _run(programs: Path, name: str, *arguments: str) -> None:
    # initdb and postgres refuse root.
    who: dict[str, Any] = {"user": "nobody", "group": _group_of_nobody()} if os.geteuid() == 0 else {}
    finished = subprocess.run(
        [str(programs / name), *arguments], cwd="/", env={"PATH": os.defpath, "LC_ALL": "C"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **who,
    )
    assert finished.returncode == 0, finished.stdout


def _group_of_nobody() -> int:
    import pwd

    return pwd.getpwnam("nobody").pw_gid


@contextmanager
def running_server(programs: Path) -> Iterator[Server]:
    """Start a server in a folder of its own and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="expansion_pg_"))  # pytest's own folders are closed to other users
    try:
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, password_file):
                shutil.chown(path, "nobody", _group_of_nobody())
        data = str(folder / "data")
        _run(programs, "initdb", "-D", data, "-U", USER, "-E", "UTF8", "--auth=scram-sha-256", "-N",
             f"--pwfile={password_file}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        _run(programs, "pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield Server(port, folder, programs)
        finally:
            _run(programs, "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
