"""Where texts come from and readings go to: the warehouse side of tagging.

Belongs here: which texts are due, who may be named in them, the atomic write of a batch, what a month has cost. Does
not belong here: reading a text (``tagging``).

Due for a tagger is a text of the run's days that neither it nor another in its stead has read, and, from days before,
one that it left in the queue or that failed and may be tried again. A text of an earlier day is known as of its own
day however late it is read: the days that ran before stay as they were until a backfill runs them again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa

from expansion_assets.store.warehouse import add_rows, fetch_rows, transaction
from expansion_assets.tables import BATCH_JOBS, READINGS, SPENDING, TAGS, USAGE
from expansion_assets.tagging.languages import LANGUAGE
from expansion_assets.tagging.schema import MOST_ATTEMPTS, Batch, BatchJob, OpenJob, Paid, Text, TextReading
from expansion_assets.tagging.tagger import Reader

_ADDRESS_PARTS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True)
class DueText:
    """A text with the day on which it became known."""

    text: Text
    known_on: date
    account_id: str | None = None
    requester_key: str | None = None


@dataclass
class ReadingReport:
    """What a run did with the texts that were due."""

    tagger_version: str
    statuses: dict[str, int] = field(default_factory=dict)
    tags: int = 0
    unproven: int = 0
    paid_answers: int = 0
    cost: float | None = 0.0
    late_from: date | None = None
    """Earliest day before the run's of which a text was read: firings of that day on change with a backfill."""

    @property
    def is_empty(self) -> bool:
        """Nothing has come yet."""
        return not self.statuses and not self.paid_answers

    def add(self, batch: Batch, known_on: dict[str, date], first_day: date) -> None:
        """Count a batch."""
        for reading in batch.readings:
            self.statuses[reading.status] = self.statuses.get(reading.status, 0) + 1
            self.tags += len(reading.tags)
            self.unproven += sum(not tag.is_quote_found for tag in reading.tags)
            day = known_on[reading.text.text_id]
            if reading.status == "read" and day < first_day:
                self.late_from = min(self.late_from or day, day)
        self.paid_answers += len(batch.paid)
        for bill in batch.paid:
            self.cost = None if self.cost is None or bill.cost is None else self.cost + bill.cost

    def as_metadata(self) -> dict[str, str | int | float]:
        """For the run's history; what a language model adds only where one was asked."""
        told: dict[str, str | int | float] = {
            "tagger": self.tagger_version, "texts_read": self.statuses.get("read", 0), "tags": self.tags,
        }
        told |= {f"texts_{status}": count for status, count in sorted(self.statuses.items()) if status != "read"}
        if self.paid_answers:
            told |= {"paid_answers": self.paid_answers, "unproven_tags": self.unproven}
            told["cost"] = "unpriced" if self.cost is None else round(self.cost, 6)
        if self.late_from:
            told["late_texts"] = f"days that ran before stay as they were; backfill from {self.late_from} to add them"
        return told


def read_due_texts(
    connection: duckdb.DuckDBPyConnection, reader: Reader, start: date, end: date
) -> ReadingReport:
    """Read the texts that are due in days [start, end); each batch is stored as it comes, so a rerun goes on there."""
    now = datetime.now(UTC).replace(tzinfo=None)
    report = ReadingReport(reader.version)
    jobs, known_on = open_jobs(connection) if reader.sends_texts else ([], {})
    for batch in reader.collect(jobs):
        store_batch(connection, batch, known_on, datetime.now(UTC).replace(tzinfo=None))
        report.add(batch, known_on, start)
    due = due_texts(connection, reader.version, start, end)
    texts = with_names(connection, due) if reader.sends_texts else [item.text for item in due]
    known_on = {item.text.text_id: item.known_on for item in due}
    spent = spent_in_month(connection, now)
    for number, batch in enumerate(reader.read(texts, spent)):
        if number == 0:
            add_rows(connection, SPENDING, spending_rows(reader, now, start, end, spent))
        store_batch(connection, batch, known_on, datetime.now(UTC).replace(tzinfo=None))
        report.add(batch, known_on, start)
    return report


def adopt_readings(connection: duckdb.DuckDBPyConnection, other: str) -> None:
    """Take over what another warehouse, attached as `other`, has read: no text is read or paid for twice."""
    connection.execute(f"""
        insert into {READINGS.full_name} by name
        select * from {other}.{READINGS.full_name} where status in ('read', 'spared')
    """)
    connection.execute(f"""
        insert into {TAGS.full_name} by name
        select tags.* from {other}.{TAGS.full_name} as tags
        semi join {READINGS.full_name} as readings using (text_id, content_hash, tagger_version)
    """)


def due_texts(connection: duckdb.DuckDBPyConnection, tagger_version: str, start: date, end: date) -> list[DueText]:
    """Texts that are due for a tagger version in days [start, end), in a stable order."""
    rows = fetch_rows(
        connection,
        """
        with settled as (
            select text_id, content_hash,
                max(coalesce(attempts, 0)) as attempts,
                bool_or(
                    coalesce(status, 'read') in ('read', 'spared', 'submitted')
                    or (status = 'failed' and attempts >= $4)
                ) as is_settled
            from text.readings
            where tagger_version = $1 or stands_in_for = $1
            group by text_id, content_hash
        )
        select text_id, content_hash, kind, speaker_side, body, known_at, known_on, account_id, requester_key,
            coalesce(settled.attempts, 0) as attempts
        from features.texts left join settled using (text_id, content_hash)
        where known_on < $3 and body is not null and not coalesce(is_settled, false)
            and (known_on >= $2 or settled.text_id is not null)
        order by known_on, text_id
        """,
        [tagger_version, start, end, MOST_ATTEMPTS],
    )
    return _due_texts(connection, rows)


def store_batch(
    connection: duckdb.DuckDBPyConnection, batch: Batch, known_on: dict[str, date], at: datetime
) -> None:
    """Store readings, their tags and what they cost, all or nothing; a reading replaces its forerunner."""
    readings = [_reading_row(reading, known_on[reading.text.text_id], at) for reading in batch.readings]
    tags = [
        {**asdict(tag), "known_on": known_on[tag.text_id]} for reading in batch.readings for tag in reading.tags
    ]
    with transaction(connection):
        _forget_forerunners(connection, batch.readings)
        add_rows(connection, TAGS, tags)
        add_rows(connection, READINGS, readings)
        add_rows(connection, USAGE, [usage_row(bill, at) for bill in batch.paid])
        if batch.job:
            connection.execute("delete from text.batch_jobs where job_key = $1", [batch.job.job_key])
            add_rows(connection, BATCH_JOBS, [asdict(batch.job) | {"changed_at": at}])


def unread_languages(connection: duckdb.DuckDBPyConnection, day: date, days: int = 90) -> dict[str, int]:
    """ISO 639-1 code -> texts of the last `days` days that no tagger read, because it does not know the language."""
    rows = fetch_rows(
        connection,
        """
        select substr(reason, length($3) + 1) as language, count(distinct text_id) as texts from text.readings
        where status = 'spared' and starts_with(reason, $3) and known_on > $1::date - $2 and known_on <= $1
        group by all order by texts desc, language
        """,
        [day, days, LANGUAGE],
    )
    return {row["language"]: row["texts"] for row in rows}


def spent_in_month(connection: duckdb.DuckDBPyConnection, at: datetime) -> float:
    """What the calendar month (UTC) has cost so far, open jobs as estimated; what has no price is not in it."""
    (row,) = fetch_rows(
        connection,
        """
        select
            (select coalesce(sum(cost), 0) from text.usage where used_on >= $1 and used_on <= $2) as paid,
            (
                select coalesce(sum(estimate), 0) from text.batch_jobs where status in ('preparing', 'submitted')
            ) as set_aside
        """,
        [at.date().replace(day=1), at.date()],
    )
    return float(row["paid"] + row["set_aside"])


def open_jobs(connection: duckdb.DuckDBPyConnection) -> tuple[list[OpenJob], dict[str, date]]:
    """Jobs that were not collected yet, and the day on which each of their texts became known."""
    rows = fetch_rows(
        connection,
        """
        select jobs.* exclude (changed_at), readings.text_id, readings.content_hash, readings.request_id,
            readings.attempts, readings.stands_in_for, readings.sent_hash, readings.known_on, texts.account_id,
            texts.requester_key,
            coalesce(texts.kind, '') as kind, coalesce(texts.speaker_side, '') as speaker_side,
            coalesce(texts.body, '') as body, texts.known_at, texts.text_id is not null as is_there
        from text.batch_jobs as jobs
        inner join text.readings as readings
            on starts_with(readings.request_id, jobs.job_key) and readings.status = 'submitted'
        left join features.texts as texts using (text_id, content_hash)
        where jobs.status in ('preparing', 'submitted')
        order by jobs.job_key, readings.request_id, readings.text_id
        """,
    )
    due = _due_texts(connection, rows)
    jobs: dict[str, tuple[BatchJob, list[TextReading], set[str]]] = {}
    for row, text in zip(rows, with_names(connection, due) if due else [], strict=True):
        job = BatchJob(**{item.name: row[item.name] for item in fields(BatchJob)})
        _, submitted, gone = jobs.setdefault(job.job_key, (job, [], set()))
        submitted.append(TextReading(
            text, job.tagger_version, "submitted", attempts=text.attempts, request_id=row["request_id"],
            stands_in_for=row["stands_in_for"], sent_hash=row["sent_hash"],
        ))
        if not row["is_there"]:
            gone.add(text.text_id)
    found = [OpenJob(job, tuple(submitted), frozenset(gone)) for job, submitted, gone in jobs.values()]
    return found, {item.text.text_id: item.known_on for item in due}


def usage_row(bill: Paid, at: datetime) -> dict[str, object]:
    """Row of ``text.usage``."""
    return {**asdict(bill), "used_at": at, "used_on": at.date()}


def spending_rows(
    reader: Reader, at: datetime, start: date, end: date, spent: float
) -> list[dict[str, object]]:
    """Rows of ``text.spending`` for the days [start, end): none for a tagger that costs nothing."""
    run = {
        "decided_at": at, "first_day": start, "last_day": end - timedelta(days=1), "spent": spent,
        "wanted_version": reader.version,
    }
    return [asdict(decision) | run for decision in reader.decisions]


def with_names(connection: duckdb.DuckDBPyConnection, due: Sequence[DueText]) -> list[Text]:
    """Texts with the names of people they may mention: of their account, of the vendor, and of whoever wrote them.

    An address names somebody, too: jane.miller@x.com is Jane Miller.
    """
    by_account = _grouped(connection, """
        select account_id, name, email from raw.crm_contacts
        union
        select accounts.account_id, alerts.person_name, alerts.person_email
        from raw.people_job_alerts as alerts
        inner join raw.crm_accounts as accounts on lower(alerts.account_domain) = lower(accounts.domain)
        union
        select account_id, null, email from raw.product_users
    """)
    vendor = _grouped(connection, "select '' as account_id, name, email from raw.crm_owners").get("", frozenset())
    by_person = _grouped(connection, """
        select addresses.person_key as account_id, contacts.name, addresses.address
        from identity.addresses as addresses left join raw.crm_contacts as contacts
            on contacts.email = addresses.address
        where addresses.person_key is not null
    """)
    nobody: frozenset[str] = frozenset()
    return [
        replace(item.text, names=tuple(sorted(
            vendor | by_account.get(item.account_id or "", nobody) | by_person.get(item.requester_key or "", nobody)
        )))
        for item in due
    ]


def _due_texts(connection: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> list[DueText]:
    """Rows of ``features.texts`` as texts, each with the names of the vendor's people known by then."""
    if not rows:
        return []
    owners = fetch_rows(connection, "select known_from, name, email from raw.crm_owners order by known_from, email")
    known = [row["known_from"] for row in owners]
    names = [tuple(filter(None, (row["name"], _spoken(row["email"])))) for row in owners]
    vendor = [tuple(dict.fromkeys(chain.from_iterable(names[:end]))) for end in range(len(names) + 1)]
    return [
        DueText(
            Text(
                row["text_id"], row["content_hash"], row["kind"], row["speaker_side"], row["body"],
                vendor_names=vendor[bisect_right(known, row["known_at"])] if row["known_at"] else (),
                attempts=row["attempts"],
            ),
            row["known_on"], row["account_id"], row["requester_key"],
        )
        for row in rows
    ]


def _spoken(email: str | None) -> str:
    return " ".join(part for part in _ADDRESS_PARTS.split((email or "").split("@")[0]) if part)


def _grouped(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, frozenset[str]]:
    """Names by the first column of a query; the second is a name, the third an address."""
    found: dict[str, set[str]] = {}
    for group, name, email in connection.execute(query).fetchall():
        found.setdefault(group or "", set()).update(filter(None, (name, _spoken(email))))
    return {group: frozenset(names) for group, names in found.items()}


def _forget_forerunners(connection: duckdb.DuckDBPyConnection, readings: Sequence[TextReading]) -> None:
    keys = {
        "text_id": [reading.text.text_id for reading in readings],
        "content_hash": [reading.text.content_hash for reading in readings],
        "tagger_version": [reading.tagger_version for reading in readings],
        "stands_in_for": pa.array([reading.stands_in_for for reading in readings], pa.string()),
    }
    connection.register("read_again", pa.table(keys))
    for table in (TAGS, READINGS):
        connection.execute(f"""
            delete from {table.full_name} as stored using read_again
            where stored.text_id = read_again.text_id and stored.content_hash = read_again.content_hash
                and stored.tagger_version = read_again.tagger_version
        """)
    # Another stands in: what waited for the tagger that was wanted waits no more.
    connection.execute(f"""
        delete from {READINGS.full_name} as stored using read_again
        where stored.text_id = read_again.text_id and stored.content_hash = read_again.content_hash
            and stored.tagger_version = read_again.stands_in_for and stored.status in ('queued', 'failed')
    """)
    connection.unregister("read_again")


def _reading_row(reading: TextReading, known_on: date, at: datetime) -> dict[str, object]:
    return {
        "text_id": reading.text.text_id, "content_hash": reading.text.content_hash,
        "tagger_version": reading.tagger_version, "tags": len(reading.tags), "known_on": known_on, "read_at": at,
        "status": reading.status, "reason": reading.reason, "attempts": reading.attempts,
        "request_id": reading.request_id, "cost": reading.cost, "stands_in_for": reading.stands_in_for,
        "sent_hash": reading.sent_hash,
    }
