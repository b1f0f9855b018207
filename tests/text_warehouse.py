"""A warehouse with just what reading texts needs."""

from datetime import date

from expansion_assets.store.warehouse import create_tables
from expansion_assets.tagging.llm.prices import Price

DAY, NEXT = date(2026, 3, 2), date(2026, 3, 3)
PRICE = Price(model="m", tokens_in=1, tokens_out=10, currency="USD", batch_discount=0.5, checked_on="2026-01-01")
TEXTS_DDL = (
    "text_id varchar, content_hash varchar, kind varchar, speaker_side varchar, body varchar, known_at timestamp,"
    " known_on date, account_id varchar, requester_key varchar"
)
def prepare(connection):
    create_tables(connection)
    connection.execute("create schema features; create schema raw")
    connection.execute(f"create table features.texts ({TEXTS_DDL})")
    for table in ("crm_contacts", "product_users"):
        connection.execute(f"create table raw.{table} (account_id varchar, name varchar, email varchar)")
    connection.execute("create table raw.crm_owners (name varchar, email varchar, known_from timestamp)")
    connection.execute("create table raw.crm_accounts (account_id varchar, domain varchar)")
    connection.execute(
        "create table raw.people_job_alerts (account_domain varchar, person_name varchar, person_email varchar)"
    )


def add(connection, count, day=DAY, body="We would love an API", first=0):
    connection.execute(
        """
        insert into features.texts
        select 'tickets:' || i, 'hash' || i, 'ticket', 'customer', $1 || ' ' || i || '.', $2, $2, 'A1', null
        from range($3, $4) as numbers (i)
        """,
        [body, day, first, first + count],
    )


def statuses(connection):
    rows = connection.execute("select tagger_version, status, count(*) from text.readings group by all").fetchall()
    return {(version.split("-")[1] if version.startswith("llm") else version, status): n for version, status, n in rows}
