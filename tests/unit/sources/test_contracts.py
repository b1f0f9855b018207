"""Contracts and mappings are refused by name; rendered dbt sources are current."""

from __future__ import annotations

from datetime import date

import pytest

from expansion_assets.dbt_sources import render_sources
from expansion_assets.sources.contracts import ContractError, load_contracts, read_contracts
from expansion_assets.sources.landing import find_files
from expansion_assets.sources.mapping import read_mapping

TABLE = """
source: s
description: d
tables:
  t:
    description: d
    grain: g
    key: [a]
    happened_at: at
    format: csv
    files: s/t.csv
    arrival_lag: {lag}
    columns:
      a: {{type: {kind}, required: {required}, description: d}}
      at: {{type: date, required: true, description: d}}
"""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "text"}, "columns.a.type"),
        ({"required": "false"}, "must be required"),
        ({"lag": "soon"}, "is not a duration"),
    ],
)
def test_a_bad_contract_names_file_and_rule(tmp_path, values, message):
    (tmp_path / "s.yml").write_text(TABLE.format(**{"kind": "string", "required": "true", "lag": "1d", **values}))
    with pytest.raises(ContractError, match=r"s\.yml: t") as error:
        read_contracts(tmp_path)
    assert message in str(error.value)


def test_all_sources_of_the_domain_have_contracts():
    sources = {contract.source for contract in load_contracts().values()}
    assert sources == {"product", "identity", "crm", "billing", "people", "support", "feedback", "meetings", "growth",
                       "engagement", "play_log"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("tables: {nope: {files: a, format: csv, columns: {}}}", "no such contract"),
        ("tables: {crm_goals: {files: a, format: csv, columns: {nope: x}}}", "not in the contract"),
        ("tables: {crm_goals: {files: a, format: xls, columns: {}}}", "format"),
    ],
)
def test_a_bad_mapping_names_what_does_not_fit(tmp_path, body, message):
    path = tmp_path / "mapping.yml"
    path.write_text(f"name: n\ndescription: d\nfirst_day: 2025-01-01\n{body}\n")
    with pytest.raises(ContractError, match=message):
        read_mapping(path, load_contracts())


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        ("u_2025-06.csv", False), ("u_2025-07.csv", True), ("u_2025-07-01.csv", True), ("u_2025-07-02.csv", False),
        ("u.csv", True),
    ],
)
def test_files_of_other_periods_are_left_unread(tmp_path, name, is_read):
    (tmp_path / name).touch()
    assert bool(find_files(tmp_path, "u*.csv", date(2025, 7, 1), date(2025, 7, 2))) is is_read


def test_rendered_dbt_sources_are_current():
    for path, text in render_sources().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python -m expansion_assets contracts`"
