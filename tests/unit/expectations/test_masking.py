"""Nothing personal is readable once it is masked; what is not personal stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion_assets.expectations.masking import mask_patterns, mask_raw_row, mask_row_key, mask_value
from expansion_assets.sources.contracts import Column, TableContract, load_contracts


@pytest.mark.parametrize(
    ("value", "personal", "shown"),
    [
        ("jane.doe@acme.example", "direct", "j***@***"),
        (" jane@x.io ", "direct", "j***@***"),
        ("Jane Doe", "direct", "J***"),
        ("Jo", "direct", "***"),
        ("44 20 7946", "direct", "***"),
        ("VP Sales", "indirect", "V***"),
        ("please call me", "free_text", "*** (14 characters)"),
        (None, "direct", None),
        ("", "direct", "***"),
        (17, None, "17"),
        ("seats", None, "seats"),
        ("owner is jane@x.io", None, "owner is j***@***"),
    ],
)
def test_a_value_by_its_class(value, personal, shown):
    assert mask_value(value, personal) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to a.b+c@mail.example.co.uk, please", "write to a***@***, please"),
        ("<o'neil@x.io>", "<o'n***@***>"),
        ("call +44 (0)20 7946 0958 or 555-123-4567 or 020 7946 0958", "call *** or *** or ***"),
        ("2026-06-30 10:00:00", "2026-06-30 10:00:00"),
        ("01.02.2026 10:00", "01.02.2026 10:00"),
        ("0012345678", "***"),
        ("12345678901", "12345678901"),
        ("1,234,567.89 EUR", "1,234,567.89 EUR"),
        ("usage-2026-06-30", "usage-2026-06-30"),
    ],
)
def test_a_text_by_its_looks(text, shown):
    assert mask_patterns(text) == shown


@pytest.mark.parametrize(
    ("key", "shown"),
    [("jane@x.io|2026-01-01", "j***@***|2026-01-01"), ("a|b|2026-01-01", "***"), (None, None)],
)
def test_a_row_key_by_the_classes_of_its_columns(key, shown):
    assert mask_row_key(key, ("email", "at"), {"email": "direct"}) == shown


def test_a_row_key_without_personal_columns_stays():
    assert mask_row_key("acc-1|usd", ("account_id", "currency"), {}) == "acc-1|usd"


def contract(personal: str | None = "direct") -> TableContract:
    return TableContract(
        name="people", source="people", description="", grain="", key=("id",), happened_at="at", format="csv",
        files="*.csv", arrival_lag=None,
        columns={
            "id": Column(type="string", required=True, description=""),
            "at": Column(type="timestamp", required=True, description=""),
            "person": Column(type="string", personal=personal, description=""),
        },
    )


def test_a_raw_row_is_mapped_back_to_its_contract_by_landing_names():
    raw = '{"Id": "p1", "Vollname": "Jane Doe", "person": "Jane Doe", "Extra": "Jane Doe", "at": null, "Stand": "1"}'
    names = {"id": {"Id"}, "person": {"Vollname"}, "at": {"at"}, "loaded_at": {"Stand"}}
    shown = mask_raw_row(raw, contract(), names)
    assert json.loads(shown) == {
        "Stand": "1",
        "Id": "p1", "Vollname": "J***", "person": "J***", "Extra": "*** (8 characters)", "at": None}


def test_a_line_that_cannot_be_read_is_masked_whole_where_people_may_stand_in_it():
    assert mask_raw_row('"p1,Jane Doe"', contract(), {}) == '"*** (11 characters)"'
    assert mask_raw_row('"p1,Jane Doe"', None, {}) == '"*** (11 characters)"'
    assert mask_raw_row('"p1;EUR;jane@x.io"', contract(personal=None), {}) == '"p1;EUR;j***@***"'
    assert mask_raw_row("not json at all, Jane", contract(), {}) == '"*** (21 characters)"'
    assert mask_raw_row(None, contract(), {}) is None


def test_values_of_any_shape_are_masked():
    raw = json.dumps({"person": {"first": "Jane"}, "id": 7, "more": [1, "Jane"], "x": True})
    assert "Jane" not in mask_raw_row(raw, contract(), {})
    assert json.loads(mask_raw_row(raw, contract(), {}))["id"] == 7


def test_a_header_that_is_a_record_is_not_shown():
    shown = mask_raw_row('{"jane@x.io": "1", "p1,Jane Doe": "2", "Jane Doe": "3"}', contract(), {})
    assert list(json.loads(shown)) == ["column 1", "column 2", "column 3"]
    assert list(json.loads(mask_raw_row('{"id": "1", "jane@x.io": "2", "Extra": "3"}', contract(), {}))) == [
        "id", "column 2", "Extra"]


SECRET = "zq.person@secret.example"


@given(st.sampled_from([item for item in load_contracts().values() if any(c.personal for c in item.columns.values())]),
       st.data())
def test_no_address_survives_in_any_column_of_any_contract(table, data):
    names = data.draw(st.lists(st.sampled_from([*table.columns, "unknown", "Other Name"]), min_size=1, unique=True))
    wrap = data.draw(st.sampled_from(["{}", "mail {} now", "<{}>", "{}|2026-01-01", '"{}"', "x={};"]))
    raw = json.dumps({name: wrap.format(SECRET) for name in names})
    shown = mask_raw_row(raw, table, {})
    assert "secret" not in shown and "zq.person" not in shown
