"""People of accounts with their consent, as known on a day: who may be named on a page.

Belongs here: reading them from the raw layer, the only one that has names. Does not belong here: hiding anybody
(``scan/consent.py``).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from expansion_assets import clock
from expansion_assets.store.warehouse import fetch_rows


def people_known(connection: duckdb.DuckDBPyConnection, day: date, zone: str = "UTC") -> list[dict[str, Any]]:
    """Contacts, and people whom alerts name, as known at the end of a day.

    Returns:
        ``account_id, person_key, name, email, has_basis``: true with consent or a lawful basis, false after a refusal,
        null when nothing is known. Somebody whom only an alert names has none.
    """
    return fetch_rows(
        connection,
        """
        with contacts as (
            select account_id, name, email, has_consent, lawful_basis,
                row_number() over (partition by contact_id order by known_from desc) as recency_rank
            from raw.crm_contacts
            where known_from < $1
        ),
        people as (
            select account_id, name, email,
                case
                    when has_consent or lawful_basis is not null then true
                    when not has_consent then false
                end as has_basis
            from contacts
            where recency_rank = 1
            union all
            select distinct accounts.account_id, alerts.person_name, alerts.person_email, null::boolean
            from raw.people_job_alerts as alerts
            inner join raw.crm_accounts as accounts on lower(alerts.account_domain) = lower(accounts.domain)
            where alerts.known_from < $1 and accounts.known_from < $1
        )
        select people.account_id, addresses.person_key, people.name, people.email, people.has_basis
        from people left join identity.addresses as addresses on people.email = addresses.address
        order by all
        """,
        [clock.as_of_end(day, zone)],
    )
