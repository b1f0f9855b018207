"""A real PostgreSQL server for a test session, from the installed server programs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER, PASSWORD = "app", "s3cret/pass word"
_QUOTED_PASSWORD = "s3cret%2Fpass%20word"
INSTALL = "no PostgreSQL server programs found (initdb, postgres): install them, e.g. `apt-get install postgresql`"


def server_programs() -> Path | None:
    """Folder of initdb and postgres; None when they are not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if all((folder / name).exists() for name in _PROGRAMS)), None)


_PROGRAMS = ("initdb", "postgres")


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


def _user() -> dict[str, Any]:
    """Keywords that start a child as an unprivileged user: initdb and postgres refuse root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


# The shell holds the server: when the tests end or are killed, its input closes, and it stops the server and cleans up.
_KEEPER = """
"$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
    >"$2/log" 2>&1 </dev/null &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
rm -rf "$2"
"""


@contextmanager
def running_server(programs: Path) -> Iterator[Server]:
    """Start a server in a folder of its own and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="expansion_pg_"))  # pytest's own folders are closed to other users
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    if user := _user():
        for path in (folder, password_file):
            os.chown(path, user["user"], user["group"])
    made = subprocess.run(
        [str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER, "-E", "UTF8", "--auth=scram-sha-256", "-N",
         f"--pwfile={password_file}"],
        cwd="/", env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **user,
    )
    assert made.returncode == 0, made.stdout
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(port, folder, programs)
    with subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, "keeper", str(programs), str(folder), str(port)], cwd="/", env=environment,
        stdin=subprocess.PIPE, **user,
    ) as keeper:
        try:
            _wait_for(server, keeper)
            yield server
        finally:
            assert keeper.stdin is not None
            keeper.stdin.close()


def _wait_for(server: Server, keeper: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return server.execute("select 1")
        except Exception:  # refused until it listens, then "starting up"
            log = server.folder / "log"
            assert keeper.poll() is None and time.monotonic() < deadline, log.read_text() if log.exists() else "no log"
            time.sleep(0.1)
