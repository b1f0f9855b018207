"""Contracts and mappings are refused by name; rendered dbt sources are current."""

from __future__ import annotations

from datetime import date

import pytest

from expansion_assets.dbt_sources import render_sources
from expansion_assets.sources.contracts import CONTRACTS_DIR, ContractError, load_contracts, read_contracts
from expansion_assets.sources.landing import find_files
from expansion_assets.sources.mapping import read_mapping

GOOD = """\
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
    arrival_lag: 1d
    columns:
      a: {type: string, required: true, description: d}
      at: {type: date, required: true, description: d}
      n: {type: number, unit: EUR, min: 0, max: 9, description: d}
      is_deleted: {type: boolean, description: d}
"""


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("a: {type: string", "a: {type: text", "s.yml:13: t.columns.a.type: Input should be"),
        ("a: {type: string, required: true", "a: {type: string", "s.yml:13: t.columns.a: is key or time"),
        ("key: [a]", "key: [a, b]", "s.yml:7: t.key.1: b is no column"),
        ("key: [a]", "key: []", "s.yml:7: t.key: Tuple should have at least 1 item"),
        ("happened_at: at", "happened_at: a", "s.yml:8: t.happened_at: a must be a date or a timestamp"),
        ("arrival_lag: 1d", "arrival_lag: soon", "s.yml:11: t.arrival_lag: 'soon' is not a duration such as 12h or 3d"),
        ("arrival_lag: 1d", "arrival_lag: 1d\n    freshness: 3 weeks", "s.yml:12: t.freshness: '3 weeks' is not a"),
        ("    arrival_lag: 1d\n", "", "s.yml:4: t.arrival_lag: is missing"),
        ("grain: g", "grain: g\n    colour: red", "s.yml:7: t.colour: no such key"),
        ("grain: g", "grain: g\n    name: x", "s.yml:7: t.name: no such key"),
        ("unit: EUR,", "unit: EUR, units: 3,", "s.yml:15: t.columns.n.units: no such key"),
        ("grain: g", "grain: g\n    triggers: [CROSS_TEAM, X]", "s.yml:7: t.triggers.1: 'X' is no trigger; known are"),
        ("a: {type: string", "a: {personal: secret, type: string", "s.yml:13: t.columns.a.personal: Input should be"),
        ("grain: g", "grain: g\n    grain: h", "s.yml:7: t.grain: the key is used twice"),
        ("      at: {", "      a: {}\n      at: {", "s.yml:14: t.columns.a: the key is used twice"),
        ("grain: g", "grain: ''", "s.yml:6: t.grain: is empty"),
        ("max: 9, description: d", "max: 9, description: ''", "s.yml:15: t.columns.n.description: is empty"),
        ("min: 0,", "min: 10,", "s.yml:15: t.columns.n.min: is above max"),
        ("unit: EUR, ", "", "s.yml:15: t.columns.n.unit: a column of type number needs a unit"),
        ("a: {type: string", "a: {unit: EUR, type: string", "s.yml:13: t.columns.a.unit: a unit is for numbers"),
        ("n: {", "n: {allowed: ['1'], ", "s.yml:15: t.columns.n.allowed: allowed values are for strings"),
        ("files: s/t.csv", "files: s/t.parquet", "s.yml:10: t.files: s/t.parquet does not end in .csv"),
        ("files: s/t.csv", "files: ../t.csv", "s.yml:10: t.files: ../t.csv must lie below the landing folder"),
        ("grain: g", "grain: g\n    deleted_by: n", "s.yml:7: t.deleted_by: n must be an optional boolean"),
        ("grain: g", "grain: g\n    delivery: often", "s.yml:7: t.delivery: Input should be"),
        ("      n: {", "      row_key: {", "s.yml:15: t.columns.row_key: is a name of the raw layer itself"),
        ("      n: {", "      n-1: {", "s.yml:15: t.columns.n-1: String should match pattern"),
        ("source: s", "source: s\nowner: me", "s.yml:2: owner: no such key"),
        ("tables:\n", "tables: [\n", "s.yml:5: not YAML"),
        (GOOD, "", "s.yml:1: expected the keys"),
        (GOOD, "- a\n", "s.yml:1: expected the keys"),
    ],
)
def test_a_bad_contract_is_refused_by_file_line_table_and_column(tmp_path, old, new, refusal):
    assert old in GOOD
    (tmp_path / "s.yml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ContractError) as error:
        read_contracts(tmp_path)
    assert str(error.value).startswith(refusal)


def test_the_good_contract_is_good(tmp_path):
    (tmp_path / "s.yml").write_text(GOOD)
    assert set(read_contracts(tmp_path)["t"].columns) == {"a", "at", "n", "is_deleted"}


def test_a_table_declared_in_two_files_is_refused(tmp_path):
    (tmp_path / "s.yml").write_text(GOOD)
    (tmp_path / "u.yml").write_text(GOOD)
    with pytest.raises(ContractError, match=r"u\.yml:4: t: the table is declared in s\.yml too"):
        read_contracts(tmp_path)


def test_all_that_is_wrong_in_a_table_is_said_at_once(tmp_path):
    wrong = GOOD.replace("arrival_lag: 1d", "arrival_lag: x").replace("type: date", "type: day")
    (tmp_path / "s.yml").write_text(wrong)
    with pytest.raises(ContractError) as error:
        read_contracts(tmp_path)
    assert [line.split(":")[1] for line in str(error.value).splitlines()] == ["11", "14"]


def test_a_file_that_is_not_utf8_is_refused_by_name(tmp_path):
    (tmp_path / "s.yml").write_bytes(GOOD.encode() + b"# \xff\n")
    with pytest.raises(ContractError, match=r"s\.yml: not UTF-8"):
        read_contracts(tmp_path)


def test_what_names_a_person_has_a_class_of_personal_data():
    for contract in load_contracts().values():
        for name, column in contract.columns.items():
            if name.endswith("email") or name in ("body", "comment", "person_name"):
                assert column.personal, f"{contract.name}.{name}"


def test_a_source_without_freshness_says_why():
    for path in sorted(CONTRACTS_DIR.glob("*.yml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip().startswith("freshness: null"):
                assert "#" in line, f"{path.name}:{number}"


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
