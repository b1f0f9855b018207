"""What becomes of a row, by contract."""

from __future__ import annotations

import pytest

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.privacy.persons import (
    GONE,
    entries_of,
    file_columns,
    forget_row,
    general_title,
    id_kinds,
    person_columns,
)
from expansion_assets.privacy.suppression import BAR, Suppression
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.mapping import TableMapping

CONTRACTS = load_contracts()
KINDS = id_kinds(CONTRACTS.values())


def judge(table: str, row: dict[str, str | None], suppression: Suppression):
    return forget_row(row, person_columns(CONTRACTS[table], KINDS), suppression)


def test_tables_whose_grain_is_a_person() -> None:
    assert {name for name, contract in CONTRACTS.items() if contract.person_rows == "delete"} == {
        "crm_contacts", "identity_directory", "identity_logins", "identity_overrides", "product_users",
        "product_seat_assignments",
    }
    assert sorted(KINDS) == ["contact_id", "subject_id", "user_id"]


def test_every_column_of_class_direct_is_covered() -> None:
    for contract in CONTRACTS.values():
        columns = person_columns(contract, KINDS)
        for found, personal in ((columns.direct, "direct"), (columns.texts, "free_text")):
            assert set(found) == {name for name, column in contract.columns.items() if column.personal == personal}


def test_a_row_of_the_person_goes(suppression: Suppression) -> None:
    assert judge("crm_contacts", {"contact_id": "C-9", "email": "Jane.Doe@acme.com"}, suppression) == GONE
    assert judge("crm_contacts", {"contact_id": "C-1", "email": "jd@new.com"}, suppression) == GONE
    assert judge("product_seat_assignments", {"assignment_id": "S", "user_id": "U-1"}, suppression) == GONE
    assert judge("crm_contacts", {"contact_id": "C-9", "email": "bob@acme.com"}, suppression) == {}


def test_the_event_stays_without_the_person(suppression: Suppression) -> None:
    row = {"change_id": "CH-1", "account_id": "A-1", "contact_id": "C-1", "email": "jane.doe@acme.com",
           "move": "joined", "from_title": None, "to_title": "Chief Financial Officer, Lyon", "function": "finance"}
    new = judge("crm_contact_role_changes", row, suppression)
    assert new == {
        "email": suppression.pseudonymous_address("jane.doe@acme.com"),
        "contact_id": suppression.pseudonymous_id("contact_id", "C-1"),
        "to_title": "Chief finance",
    }
    assert judge("crm_contact_role_changes", row | new, suppression) == {}


def test_a_name_alone_within_the_company(suppression: Suppression) -> None:
    row = {"alert_id": "J-1", "account_domain": "www.acme.com", "person_name": "JANE DOE", "to_title": "CFO"}
    new = judge("people_job_alerts", row, suppression)
    assert new == {
        "person_name": None, "person_email": suppression.pseudonymous_address("jane.doe@acme.com"),
        "to_title": "Chief finance",
    }
    assert judge("people_job_alerts", row | new, suppression) == {}
    assert judge("people_job_alerts", row | {"account_domain": "other.com"}, suppression) == {}


def test_a_required_column_is_not_left_empty(suppression: Suppression) -> None:
    new = judge("crm_owners", {"owner_id": "O", "name": "Jane Doe", "email": "jane.doe@acme.com"}, suppression)
    assert new == {"name": "[forgotten]", "email": suppression.pseudonymous_address("jane.doe@acme.com")}


def test_texts_of_anybody_lose_the_person(suppression: Suppression) -> None:
    row = {"ticket_id": "T", "requester_email": "bob@acme.com", "subject": "Jane Doe",
           "body": "Mail jane.doe@acme.com", "topic": "for jane.doe@acme.com"}
    assert judge("support_tickets", row, suppression) == {
        "subject": BAR * 8, "body": f"Mail {BAR * 17}", "topic": f"for {BAR * 17}",
    }


def test_two_addresses_in_one_column(suppression: Suppression) -> None:
    row = {"ticket_id": "T", "requester_email": "bob@acme.com; jane.doe@acme.com"}
    assert judge("support_tickets", row, suppression) == {"requester_email": f"bob@acme.com; {BAR * 17}"}


def test_usage_stays_and_is_no_longer_of_the_user(suppression: Suppression) -> None:
    row = {"usage_id": "X", "account_id": "A-1", "user_id": "U-1"}
    assert judge("product_usage", row, suppression) == {"user_id": suppression.pseudonymous_id("user_id", "U-1")}
    assert judge("product_usage", row | {"user_id": "U-2"}, suppression) == {}


def test_a_row_tells_id_and_name(suppression: Suppression) -> None:
    alone = Suppression(suppression.key).with_entries([suppression.mailbox("jane.doe@acme.com")])
    row = {"contact_id": "C-1", "account_id": "A-1", "name": "Jane Doe", "email": "jane.doe@acme.com"}
    columns = person_columns(CONTRACTS["crm_contacts"], KINDS)
    found = set(entries_of(row, columns, alone))
    assert found == {
        suppression.identifier("contact_id", "C-1"), *suppression.names(
            "Jane Doe", ["A-1", "acme.com"], suppression.mailbox("jane.doe@acme.com").hash
        )
    }
    assert not list(entries_of(row | {"email": "bob@acme.com"}, columns, alone))


def test_a_general_title_has_the_rank_and_the_function_of_the_title() -> None:
    titles = load_catalogue().titles
    for rank in titles.ranks:
        for function in [None, *titles.functions]:
            text = f"{rank} {function or ''}".replace("_", " ")
            again = general_title(text)
            assert (titles.rank(again), titles.function(again)) == (titles.rank(text), titles.function(text))
            assert general_title(again) == again


@pytest.mark.parametrize(("where", "is_deleted"), [({}, True), ({"kind": "person"}, False)])
def test_a_file_that_other_tables_read_keeps_its_rows(where: dict[str, str], is_deleted: bool) -> None:
    mapping = TableMapping(files="people.csv", format="csv", where=where,
                           columns={"contact_id": "Id", "email": {"first_of": ["Mail", "Mail2"]}, "name": "Full Name"})
    columns = file_columns([(CONTRACTS["crm_contacts"], mapping)], KINDS)
    assert set(columns.direct) == {"Mail", "Mail2", "Full Name"}
    assert columns.ids == (("Id", "contact_id"),)
    assert columns.is_deleted is is_deleted
