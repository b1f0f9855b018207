"""dbt files rendered from the contracts and from ``tables.py``, so that nothing that stands there is written twice.

Belongs here: the rendering. Does not belong here: a description; it stands in the contract or the table definition.
``python -m expansion_assets contracts`` writes the files; a test fails when they are out of date.
"""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import yaml

from expansion_assets.project import DBT_DIR
from expansion_assets.sources.contracts import SQL_TYPES, SYSTEM_COLUMNS, Column, TableContract, load_contracts
from expansion_assets.tables import PYTHON_TABLES, Table

_ORIGIN = "Rendered by `python -m expansion_assets contracts` from {origin}; edit there, not here."
_CONTRACTS = "expansion_assets/sources/contracts/*.yml"


def render_sources() -> dict[Path, str]:
    """Path -> text of each rendered file."""
    staging = DBT_DIR / "models" / "staging"
    return {
        staging / "_raw__sources.yml": _raw(load_contracts()),
        staging / "_python__sources.yml": _python(PYTHON_TABLES),
        DBT_DIR / "macros" / "freshness_days.sql": _freshness(load_contracts()),
    }


def _raw(contracts: dict[str, TableContract]) -> str:
    tables = [
        {
            "name": contract.name,
            "description": f"{contract.description} Grain: {contract.grain} and version.",
            "meta": {
                "source": contract.source,
                "key": list(contract.key),
                "happened_at": contract.happened_at,
                "arrival_lag": _in_words(contract.arrival_lag),
                "freshness": _in_words(contract.freshness),
                "delivery": contract.delivery,
                "deleted_by": contract.deleted_by,
                "triggers": list(contract.triggers),
            },
            "columns": [
                {
                    "name": name,
                    "data_type": SQL_TYPES[column.type],
                    "description": column.description + (f" Unit: {column.unit}." if column.unit else ""),
                    **_column_meta(column),
                }
                for name, column in contract.stored_columns.items()
            ]
            + [
                {"name": name, "data_type": sql_type, "description": description}
                for name, (sql_type, description) in SYSTEM_COLUMNS.items()
            ],
        }
        for contract in contracts.values()
    ]
    source: dict[str, object] = {
        "name": "raw", "description": "Versions of what landed, in known time.", "schema": "raw", "tables": tables
    }
    return _dump(_CONTRACTS, [source])


def _column_meta(column: Column) -> dict[str, object]:
    given: dict[str, str | bool | None] = {
        "required": column.required, "unit": column.unit, "personal_data": column.personal
    }
    meta = {name: value for name, value in given.items() if value}
    return {"meta": meta} if meta else {}


def _in_words(duration: timedelta | None) -> str | None:
    """12h or 3d, as the contracts write it."""
    if duration is None:
        return None
    hours = int(duration / timedelta(hours=1))
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"


def _python(tables: tuple[Table, ...]) -> str:
    sources = [
        {
            "name": schema,
            "description": f"Tables that Python writes to schema {schema}.",
            "schema": schema,
            "tables": [
                {
                    "name": table.name,
                    "description": table.description,
                    "columns": [
                        {"name": name, "data_type": table.sql_type(name), "description": description}
                        for name, (_, description) in table.columns.items()
                    ],
                }
                for table in group
            ],
        }
        for schema, group in groupby(sorted(tables, key=lambda table: table.schema), key=lambda table: table.schema)
    ]
    return _dump("expansion_assets/tables.py", sources)


def _freshness(contracts: dict[str, TableContract]) -> str:
    """A macro, because dbt takes vars from ``dbt_project.yml`` only. A started day counts as one."""
    entries = "".join(
        f"        '{contract.name}': {math.ceil(contract.freshness / timedelta(days=1))},\n"
        for contract in contracts.values()
        if contract.freshness
    )
    return (
        f"{{#-\n    {_ORIGIN.format(origin=_CONTRACTS)}\n-#}}\n"
        "{% macro freshness_days(table) -%}\n"
        f"    {{{{ return({{\n{entries}    }}[table]) }}}}\n"
        "{%- endmacro %}\n"
    )


def _dump(origin: str, sources: list[dict[str, object]]) -> str:
    body = yaml.safe_dump({"version": 2, "sources": sources}, sort_keys=False, allow_unicode=True, width=120)
    return f"# {_ORIGIN.format(origin=origin)}\n{body}"
