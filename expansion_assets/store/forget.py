"""Forgetting a person: the order of a purge, and the warehouse, pages and run history it cleans.

Belongs here: finding the person, the steps and their order, every file of the workspace's folder. Does not belong here:
what becomes of a row (``privacy/persons``), landing files (``privacy/landing``), the command line.

Suppression first, then landing files, the warehouse, and all other files. Each step works from the suppression list
alone and changes nothing that it has changed before, so a purge that was killed is finished by the next one. It holds
the run lock: no run reads a file that is being cleaned, or writes what it read before.
"""

from __future__ import annotations

import fcntl
import gzip
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any

import duckdb

from expansion_assets.privacy import ForgetError
from expansion_assets.privacy.landing import landing_files, rewrite_file, rows_of_file
from expansion_assets.privacy.persons import PersonColumns, entries_of, general_title, id_kinds, person_columns
from expansion_assets.privacy.staged import (
    distinct_texts,
    judge_table,
    mask_column,
    replace_values,
    update_rows,
)
from expansion_assets.privacy.suppression import (
    TEMPORARY_SUFFIX,
    Entry,
    Suppression,
    put_in_place,
    read_suppression,
    suppression_file,
    temporary,
    write_suppression,
)
from expansion_assets.settings import Settings
from expansion_assets.sources.contracts import TableContract
from expansion_assets.sources.identity import Resolver
from expansion_assets.sources.sql import literal, quoted
from expansion_assets.store.identity import identifiers
from expansion_assets.store.warehouse import add_rows, connect
from expansion_assets.tables import ADDRESSES, NAMES, TITLES, Table
from expansion_assets.tagging.kept import forget_models
from expansion_assets.tagging.tagger import REVIEWED_TEXTS
from expansion_assets.workspace import Workspace

_SQLITE_HEAD = b"SQLite format 3\x00"
_WAREHOUSE_SUFFIXES = (".duckdb", ".wal", ".lock")
_ID_COLUMNS = ("row_key", "user_key")
"""Columns of made tables that may hold an id of a raw row or user, beside those named like one."""
_ROUNDS = 5  # address -> contact id -> the name on an older row -> an alert that tells only the name


@dataclass
class ForgetReport:
    """What a purge found and did; counts by place, no personal data but ``other_addresses``."""

    is_dry: bool = False
    entries: int = 0
    """New lines of the suppression list."""
    landing: Counter[str] = field(default_factory=Counter)
    """Rows that left or changed, by file."""
    warehouse: Counter[str] = field(default_factory=Counter)
    """Rows or values that left or changed, by table."""
    files: Counter[str] = field(default_factory=Counter)
    """Other files that held a trace, with what was done."""
    other_addresses: set[str] = field(default_factory=set)
    """Further addresses in rows that the person's ids lead to: shown, not forgotten; nothing says whose they are."""

    @property
    def traces(self) -> int:
        """Places in all."""
        return self.landing.total() + self.warehouse.total() + self.files.total()


@contextmanager
def run_lock(warehouse: Path) -> Iterator[None]:
    """Hold the lock that a run holds, without waiting.

    Raises:
        ForgetError: a run, or another purge, holds it.
    """
    lock_file = warehouse.with_suffix(".lock")
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ForgetError(
                f"a run holds {lock_file}: nothing was touched; wait until it has ended and call again"
            ) from None
        yield


def forget(workspace: Workspace, address: str | None, *, is_dry: bool = False) -> ForgetReport:
    """Forget a person, or clean again of everybody on the list.

    Args:
        workspace: The workspace.
        address: Any spelling of the person's address; None applies the list as it is.
        is_dry: Find and count, write nothing.

    Raises:
        ForgetError: a run is going on, the text is no address, or a file could not be cleaned.
        SuppressionError: the list was made with another key.
    """
    settings = workspace.settings
    report = ForgetReport(is_dry)
    with run_lock(settings.warehouse_path):
        known = read_suppression(settings)
        suppression = known
        if address is not None:
            entry = known.mailbox(address)
            if entry is None:
                raise ForgetError(f"{address!r} is not an e-mail address")
            suppression = _find(workspace, known.with_entries([entry]), report)
        report.entries = len(suppression.entries - known.entries)
        if report.entries and not is_dry:
            write_suppression(settings, suppression)
        if suppression:
            _clean_landing(workspace, suppression, report)
            _clean_warehouse(workspace, suppression, report)
            _clean_other_files(workspace, suppression, report)
    return report


def _find(workspace: Workspace, suppression: Suppression, report: ForgetReport) -> Suppression:
    """Follow an address to ids and names, and those to further rows, until nothing new is found."""
    sources = list(_telling_sources(workspace))
    for _ in range(_ROUNDS):
        found: set[Entry] = set()
        for columns, rows in sources:
            for row in rows():
                new = [entry for entry in entries_of(row, columns, suppression) if entry not in suppression.entries]
                found.update(new)
                report.other_addresses.update(_other_addresses(row, columns, suppression))
        if not found:
            return suppression
        suppression = suppression.with_entries(found)
    return suppression


def _other_addresses(row: Mapping[str, Any], columns: PersonColumns, suppression: Suppression) -> Iterator[str]:
    if columns.is_deleted and columns.person_id and suppression.has_identifier(
        columns.person_id, row.get(columns.person_id)
    ):
        for name in columns.direct:
            value = row.get(name)
            if suppression.mailbox(value) and not suppression.has_address(value):
                yield str(value)


def _telling_sources(workspace: Workspace) -> Iterator[tuple[PersonColumns, Any]]:
    """Landing files and raw tables whose rows tell of a person by address or name, each to be read several times."""
    settings = workspace.settings
    for path, (file_format, columns) in landing_files(
        settings.landing_dir, workspace.mapping, workspace.contracts
    ).items():
        if columns.direct:
            yield columns, lambda path=path, form=file_format, cols=columns: _readable_rows(path, form, cols)
    if not settings.warehouse_path.exists():
        return
    kinds = id_kinds(workspace.contracts.values())
    stored = []
    with connect(settings.warehouse_path, read_only=True) as connection:
        tables = _tables(connection)
        for contract in workspace.contracts.values():
            columns = person_columns(contract, kinds)
            names = [name for name in (*columns.all, *columns.scopes) if name in tables.get(("raw", contract.name), {})]
            if columns.direct and names:
                listed = ", ".join(quoted(name) for name in dict.fromkeys(names))
                cursor = connection.execute(f"select distinct {listed} from raw.{contract.name}")
                labels = [item[0] for item in cursor.description]
                stored.append((columns, [dict(zip(labels, row, strict=True)) for row in cursor.fetchall()]))
    for columns, rows in stored:
        yield columns, lambda rows=rows: rows


def _readable_rows(path: Path, file_format: str, columns: PersonColumns) -> Iterator[Mapping[str, Any]]:
    try:
        yield from rows_of_file(path, file_format, columns)
    except (OSError, EOFError, ValueError):
        return  # a broken file tells nothing; cleaning it says so


# ---------------------------------------------------------------- landing files


def _clean_landing(workspace: Workspace, suppression: Suppression, report: ForgetReport) -> None:
    landing = workspace.settings.landing_dir
    files = landing_files(landing, workspace.mapping, workspace.contracts)
    for path, (file_format, columns) in files.items():
        try:
            changed = rewrite_file(path, file_format, columns, suppression, landing, is_dry=report.is_dry)
        except (OSError, EOFError, ValueError) as error:
            raise ForgetError(f"{path}: cannot be cleaned: {error}; mend or remove the file and call again") from error
        if changed:
            report.landing[path.relative_to(landing).as_posix()] = changed


# ---------------------------------------------------------------- warehouse


def _clean_warehouse(workspace: Workspace, suppression: Suppression, report: ForgetReport) -> None:
    """Clean every table, then copy what is left to a new file: free pages of the old one still hold the person."""
    path = workspace.settings.warehouse_path
    _remove_fresh(path)
    if not path.exists():
        return
    with connect(path) as connection:
        if report.is_dry:
            connection.execute("begin")
        tables = _tables(connection)
        _clean_raw(connection, workspace.contracts, tables, suppression, report)
        _clean_identity(connection, workspace, tables, suppression, report)
        _clean_texts(connection, tables, suppression)
        _clean_titles(connection, tables, suppression)
        _clean_made_tables(connection, workspace.contracts, tables, suppression, report)
        if report.is_dry:
            connection.execute("rollback")
            return
    _rebuild(path)


Tables = dict[tuple[str, str], dict[str, str]]


def _tables(connection: duckdb.DuckDBPyConnection) -> Tables:
    """Columns with their types by schema and table; views hold nothing of their own."""
    rows = connection.execute(
        """
        select columns.schema_name, columns.table_name, columns.column_name, columns.data_type
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
        where not columns.internal and database_name = current_database() and not tables.temporary
        order by all
        """
    ).fetchall()
    found: Tables = {}
    for schema, table, column, data_type in rows:
        found.setdefault((schema, table), {})[column] = data_type
    return found


def _clean_raw(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, TableContract], tables: Tables,
    suppression: Suppression, report: ForgetReport,
) -> None:
    kinds = id_kinds(contracts.values())
    for contract in contracts.values():
        relation = f"raw.{contract.name}"
        if ("raw", contract.name) not in tables:
            continue
        columns = person_columns(contract, kinds)
        gone, changed = judge_table(connection, relation, contract, columns, suppression)
        if gone:
            connection.execute(f"delete from {relation} where list_contains($1, rowid)", [gone])
        update_rows(connection, relation, changed)
        hidden = mask_column(connection, relation, "extra_json", suppression)
        if count := len(gone) + len(changed) + hidden:
            report.warehouse[relation] = count
        if contract.person_id and ("raw", "deletions") in tables:
            _replace_ids(
                connection, "raw.deletions", "row_key", [contract.person_id], suppression,
                f"source_table = {literal(contract.name)}",
            )
    if ("raw", "quarantine") in tables and (
        found := mask_column(connection, "raw.quarantine", "raw_json", suppression, to_null=True)
    ):
        report.warehouse["raw.quarantine"] = found


def _clean_identity(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, tables: Tables, suppression: Suppression,
    report: ForgetReport,
) -> None:
    """Put stand-ins in place of addresses, with the same person and company; drop names and titles of no row."""
    if (ADDRESSES.schema, ADDRESSES.name) in tables:
        spellings = [
            text for text in distinct_texts(connection, ADDRESSES.full_name, "address", "contains(address, '@')")
            if suppression.has_address(text) and suppression.pseudonymous_address(text) != text
        ]
        resolver = Resolver(suppression.key)
        stand_ins = {suppression.pseudonymous_address(text) or "" for text in spellings}
        if spellings:
            connection.execute("delete from identity.addresses where list_contains($1, address)", [spellings])
            [known] = connection.execute(
                "select coalesce(list(address), []) from identity.addresses where list_contains($1, address)",
                [sorted(stand_ins)],
            ).fetchall()
            add_rows(
                connection, ADDRESSES, [resolver.address_row(text) for text in sorted(stand_ins - set(known[0]))]
            )
            report.warehouse[ADDRESSES.full_name] = len(spellings)
    if (NAMES.schema, NAMES.name) in tables:
        names = [text for text in distinct_texts(connection, NAMES.full_name, "name", "true")
                 if suppression.has_name(text)]
        if gone := _borne_by_none(connection, workspace, NAMES, names):
            connection.execute("delete from identity.names where list_contains($1, name)", [gone])
            report.warehouse[NAMES.full_name] = len(gone)
    if (TITLES.schema, TITLES.name) in tables:
        titles = list(distinct_texts(connection, TITLES.full_name, "title", "true"))
        gone = _borne_by_none(connection, workspace, TITLES, titles)
        connection.execute("delete from identity.titles where list_contains($1, title)", [gone])


def _borne_by_none(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, kind: Table, texts: list[str]
) -> list[str]:
    """Those texts of an identity table that no raw row bears any more."""
    borne: set[str] = set()
    for identifier in identifiers(workspace.contracts):
        if identifier.table is kind and texts:
            for table, column, _ in identifier.columns:
                rows = connection.execute(
                    f"select distinct {quoted(column)} from raw.{table} where list_contains($1, {quoted(column)})",
                    [texts],
                ).fetchall()
                borne.update(text for (text,) in rows)
    return [text for text in texts if text not in borne]


def _clean_texts(connection: duckdb.DuckDBPyConnection, tables: Tables, suppression: Suppression) -> None:
    """Bar texts, their hashes and the quotes from them together: a text stays read, and its quotes stay proven."""
    if ("features", "texts") not in tables:
        return
    bodies = [
        (old, new) for old in distinct_texts(connection, "features.texts", "body", "true")
        if (new := suppression.masked(old)) != old
    ]
    hashes = [(_content_hash(old), _content_hash(new)) for old, new in bodies]
    # A kill between the statements leaves a text that is read again: the body goes last.
    for schema, table in (("text", "tags"), ("text", "readings"), ("features", "texts")):
        if (schema, table) in tables:
            replace_values(connection, f"{schema}.{table}", "content_hash", hashes)
    replace_values(connection, "features.texts", "body", bodies)
    if ("text", "tags") not in tables:
        return
    # What a model made up stands in no text, but may hold a name.
    invented = distinct_texts(connection, "text.tags", "quote", "not is_quote_found")
    masked = [(old, new) for old in invented if (new := suppression.masked(old)) != old]
    replace_values(connection, "text.tags", "quote", masked)
    connection.execute(
        """
        update text.tags as tags
        set quote = substr(texts.body, tags.quote_start::bigint + 1, (tags.quote_end - tags.quote_start)::bigint)
        from features.texts as texts
        where tags.text_id = texts.text_id and tags.content_hash = texts.content_hash and tags.is_quote_found
            and contains(texts.body, '\u2588')
        """
    )
    if ("triggers", "evidence") in tables:
        connection.execute(
            """
            update triggers.evidence as evidence set quote = tags.quote from text.tags as tags
            where evidence.tag_id = tags.tag_id and contains(tags.quote, '\u2588')
            """
        )


def _content_hash(text: str) -> str:
    """As ``features.texts`` has it: md5 of the body; an identifier, not a secret."""
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _clean_titles(connection: duckdb.DuckDBPyConnection, tables: Tables, suppression: Suppression) -> None:
    """Cut the person's job titles in made tables to rank and function, as in the rows they came from."""
    people = sorted(suppression.people)
    places = (
        ("features", "contact_moves", ("from_title", "to_title"), "list_contains($1, person_key)"),
        ("intermediate", "int_contact_versions", ("title", "previous_title"), "list_contains($1, person_key)"),
        ("intermediate", "int_contact_moves", ("from_title", "to_title"), "list_contains($1, given_person_key)"),
        ("triggers", "evidence", ("quote",), "trigger = 'ROLE_CHANGE' and firing_id in ("
         "select firing_id from triggers.firing_events where list_contains($1, subject_key))"),
        ("features", "timeline_events", ("summary",), "kind like 'contact_%' and list_contains($1, person_key)"),
        ("outcomes", "account_timeline", ("summary",), "kind like 'contact_%' and list_contains($1, person_key)"),
    )
    for schema, table, names, condition in places:
        for name in names:
            if name not in tables.get((schema, table), {}):
                continue
            relation = f"{schema}.{table}"
            told = f"select rowid, {quoted(name)} from {relation} where {quoted(name)} is not null and {condition}"
            rows = connection.execute(told, [people]).fetchall()
            update_rows(connection, relation, {row: {name: _general(title)} for row, title in rows})


def _general(title: str) -> str:
    """A title as rank and function; what the timeline writes before it, ``joined: ``, stays."""
    move, separator, rest = title.rpartition(": ")
    return f"{move}{separator}{general_title(rest)}"


def _clean_made_tables(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, TableContract], tables: Tables,
    suppression: Suppression, report: ForgetReport,
) -> None:
    """Sweep every text column of every table: what is left of addresses, names and ids, wherever it came to stand."""
    kinds = sorted(id_kinds(contracts.values()))
    contract_columns = {(("raw", name), column) for name, contract in contracts.items() for column in contract.columns}
    for (schema, table), columns in tables.items():
        relation, found = f"{quoted(schema)}.{quoted(table)}", 0
        for name, data_type in columns.items():
            if ((schema, table), name) in contract_columns:
                continue  # judged row by row; another person's name column may bear the same name
            if data_type in ("VARCHAR", "JSON") and (schema, table, name) != ("identity", "names", "name"):
                found += _mask_made(connection, relation, name, suppression)
                if name in kinds or name in _ID_COLUMNS:
                    found += _replace_ids(connection, relation, name, kinds, suppression)
        if found:
            report.warehouse[f"{schema}.{table}"] += found


def _mask_made(connection: duckdb.DuckDBPyConnection, relation: str, name: str, suppression: Suppression) -> int:
    pairs = [
        (value, new)
        for value in distinct_texts(
            connection, relation, name, f"(contains({quoted(name)}, '@') or contains({quoted(name)}, ' '))"
        )
        if (new := suppression.masked(value)) != value
    ]
    replace_values(connection, relation, name, pairs)
    return len(pairs)


def _replace_ids(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, kinds: Iterable[str], suppression: Suppression,
    condition: str = "true",
) -> int:
    pairs = [
        (value, suppression.pseudonymous_id(kind, value))
        for value in distinct_texts(connection, relation, name, condition)
        for kind in kinds
        if not value.startswith("forgotten-") and suppression.has_identifier(kind, value)
    ]
    replace_values(connection, relation, name, pairs)
    return len(pairs)


def _remove_fresh(path: Path) -> None:
    """What a killed rebuild left."""
    fresh = temporary(path)
    for left in (fresh, fresh.with_name(fresh.name + ".wal")):
        left.unlink(missing_ok=True)


def _rebuild(path: Path) -> None:
    """Copy a database to a new file and put it in the old one's place, with nothing of the log."""
    fresh = temporary(path)
    with connect(path) as connection:
        connection.execute("checkpoint")
        name = connection.execute("select current_database()").fetchall()[0][0]
        connection.execute(f"attach {literal(fresh)} as fresh")
        connection.execute(f"copy from database {quoted(name)} to fresh")
        connection.execute("detach fresh")
    put_in_place(fresh, path)
    for suffix in (".wal", ".tmp"):
        left = path.with_name(path.name + suffix)
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


# ---------------------------------------------------------------- every other file


def _clean_other_files(workspace: Workspace, suppression: Suppression, report: ForgetReport) -> None:
    """Clean what stands in the workspace's folder: pages, exports, run history, dbt's folder, leftovers."""
    settings = workspace.settings
    if settings.restated_dir.exists():
        report.files["restated: removed, `restate` makes it again"] += 1
        if not report.is_dry:
            shutil.rmtree(settings.restated_dir)
    done = {*landing_files(settings.landing_dir, workspace.mapping, workspace.contracts), suppression_file(settings)}
    unclean = []
    for path in sorted(settings.workspace_dir.rglob("*")):
        is_warehouse = path.parent == settings.warehouse_path.parent and path.suffix in _WAREHOUSE_SUFFIXES
        is_other = path in done or is_warehouse or path.is_symlink() or not path.is_file()
        if is_other or settings.restated_dir in path.parents or _is_other_workspace(path, settings):
            continue
        try:
            what = _clean_file(path, suppression, settings, is_dry=report.is_dry)
        except (OSError, EOFError, ValueError, sqlite3.Error) as error:
            unclean.append(f"{path}: {error}")
            continue
        if what:
            report.files[f"{path.relative_to(settings.workspace_dir).as_posix()}: {what}"] += 1
    if unclean:
        raise ForgetError(f"could not be cleaned, call again when they can: {'; '.join(unclean)}")


def _is_other_workspace(path: Path, settings: Settings) -> bool:
    """Whether a file belongs to a mapped data set's workspace below this one's folder."""
    others = settings.state_dir / "workspaces"
    return settings.workspace_dir == settings.state_dir and others in path.parents


def _clean_file(path: Path, suppression: Suppression, settings: Settings, *, is_dry: bool) -> str | None:
    """Clean one file by what it is; returns what was done, or None."""
    if path.name.endswith(TEMPORARY_SUFFIX):
        if not is_dry:
            path.unlink()
        return "removed, a killed purge left it"
    with path.open("rb") as handle:
        head = handle.read(16)
    if head == _SQLITE_HEAD:
        return _clean_sqlite(path, suppression, is_dry=is_dry)
    if path.name.endswith(("-wal", "-shm", "-journal")):
        return None  # of a SQLite file, which empties them
    if head[:4] == b"PAR1":
        return _clean_by_rows(path, "parquet", suppression, settings, is_dry=is_dry)
    content = gzip.decompress(path.read_bytes()) if head[:2] == b"\x1f\x8b" else path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        if suppression.masked(text) == text:
            return None
        if not is_dry:
            path.unlink()  # binary caches (dbt's parse) are made again
        return "removed, a binary cache"
    done = _clean_by_rows(path, "text", suppression, settings, is_dry=is_dry)
    if done and path == settings.tagger_dir / REVIEWED_TEXTS and not is_dry:
        forget_models(path.parent)  # they learned the words that have just been barred
    return done


def _clean_by_rows(
    path: Path, file_format: str, suppression: Suppression, settings: Settings, *, is_dry: bool
) -> str | None:
    columns = PersonColumns()
    if file_format == "parquet":
        import pyarrow.parquet as pq

        columns = PersonColumns(texts=tuple(pq.read_schema(path).names))
    changed = rewrite_file(path, file_format, columns, suppression, settings.landing_dir, is_dry=is_dry)
    return f"{changed} rows" if changed else None


def _clean_sqlite(path: Path, suppression: Suppression, *, is_dry: bool) -> str | None:
    """Mask every text of a SQLite file, then rewrite it: no free page and no log keeps the old one."""
    changed = 0
    with closing(sqlite3.connect(path, timeout=30)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            columns = [row[1] for row in database.execute(f"pragma table_info({quoted(table)})")]
            for column in columns:
                name, relation = quoted(column), quoted(table)
                rows = database.execute(f"select rowid, {name} from {relation} where typeof({name}) = 'text'")
                masked = [(new, row) for row, old in rows if (new := suppression.masked(old)) != old]
                changed += len(masked)
                if masked and not is_dry:
                    database.executemany(f"update {relation} set {name} = ? where rowid = ?", masked)
        if not is_dry:
            database.commit()
            database.execute("vacuum")
            [(is_busy, *_)] = database.execute("pragma wal_checkpoint(truncate)").fetchall()
            if is_busy:
                raise sqlite3.OperationalError("another program has it open (stop `make ui`)")
    return f"{changed} values" if changed else None
