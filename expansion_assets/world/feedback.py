"""What customers say besides tickets: survey answers, reviews, and what is said and noted in meetings.

Belongs here: NPS, references, meetings, notes, transcript turns. Does not belong here: adjacent-use cases.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from expansion_assets.world.model import Account, Book
from expansion_assets.world.texts import Text
from expansion_assets.world.tickets import requesters

_NPS_PER_YEAR = 2.4  # 161 answers for 60 accounts
_TRANSCRIPT_SHARE = 0.08  # of quarterly reviews: 170 turns, six a meeting
_NOTE_SHARE = 0.08  # of quarterly reviews without transcript: 64 notes, shared with the owners' own
_OWNER_NOTES_PER_YEAR = 0.2
_TURNS = 6


def answer_survey(
    book: Book, account: Account, day: int, email: str, text: Text, rng: Random, *, names_account: bool = True
) -> None:
    """Write one NPS answer; it is loaded in the night after."""
    row = {
        "response_id": account.sequence("NPS"),
        "account_id": account.account_id if names_account else None,
        "email": email,
        "score": text["score"],
        "comment": text["text"],
        "responded_at": book.period.working_moment(account.country, day, rng),
    }
    book.landing.add("feedback_nps", book.period.nightly(day), row)


def plan_meeting(
    book: Book,
    account: Account,
    kind: str,
    day: int,
    rng: Random,
    *,
    is_external: bool = True,
    status: str = "held",
) -> tuple[str, datetime]:
    """Write a meeting: planned two weeks ahead, then held or cancelled; returns its id and start."""
    period = book.period
    start = period.working_moment(account.country, day, rng).replace(minute=0, second=0)
    row = {
        "meeting_id": account.sequence("MTG"),
        "account_id": account.account_id,
        "kind": kind,
        "is_external": is_external,
        "planned_for": start,
        "held_at": None,
        "status": "planned",
    }
    planned = max(day - 14, account.start - 10)
    book.landing.add(
        "crm_meetings",
        period.nightly(planned),
        row | {"updated_at": period.working_moment(account.country, planned, rng)},
    )
    if day <= book.horizon:
        later = {"held_at": start, "status": "held"} if status == "held" else {"status": "cancelled"}
        book.landing.add(
            "crm_meetings", period.nightly(day), row | later | {"updated_at": start + timedelta(hours=1)}
        )
    return str(row["meeting_id"]), start


def write_transcript(
    book: Book,
    account: Account,
    meeting_id: str,
    start: datetime,
    kind: str,
    rng: Random,
    said: Text | None = None,
) -> None:
    """Write a call's turns, with ``said`` among them when given; loaded in the night after."""
    loaded = book.period.nightly(book.period.number(start.date()))
    note_id = account.sequence("CAL")
    note: dict[str, Any] = {
        "note_id": note_id,
        "account_id": account.account_id,
        "meeting_id": meeting_id,
        "kind": kind,
        "body": book.bank.take("notes")["text"],
        "sentiment": round(rng.uniform(-0.2, 0.8), 2),
        "attendee_titles": "|".join(str(item.record.values["title"]) for item in account.contacts[:2]),
        "held_at": start,
    }
    book.landing.add("meetings_notes", loaded, note)
    writers = requesters(account)[:2]
    turns = [book.bank.take("turns") for _ in range(_TURNS if said is None else 4)]
    if said is not None:
        turns.insert(2, said)
    for number, turn in enumerate(turns):
        side = turn.get("speaker_side", "customer")
        row = {
            "turn_id": f"{note_id}-{number:02d}",
            "note_id": note_id,
            "account_id": account.account_id,
            "turn_no": number,
            "speaker_email": rng.choice(writers) if side == "customer" else None,
            "speaker_side": side,
            "body": turn["text"],
            "spoken_at": start + timedelta(seconds=60 + 95 * number),
        }
        book.landing.add("meetings_turns", loaded, row)


def add_ordinary_feedback(book: Book) -> None:
    """Surveys, reviews and owner notes through the year."""
    for account in book.accounts:
        rng = book.streams.random("feedback", account.number)
        period = book.period
        first, last = account.first_use, account.churn_day or book.horizon
        years = (last - first) / 365
        people = requesters(account)
        for _ in range(round(_NPS_PER_YEAR * years + rng.random() * 0.8)):
            day = period.next_business(account.country, rng.randrange(first, last))
            answer_survey(
                book,
                account,
                day,
                rng.choice(people),
                book.bank.take("nps"),
                rng,
                names_account=rng.random() > 0.1,
            )
        if rng.random() < 0.4 * years:
            day = period.next_business(account.country, rng.randrange(first, last))
            kind = rng.choice(("review", "review", "reference", "case_study"))
            row = {
                "reference_id": account.sequence("REF"),
                "account_id": account.account_id,
                "kind": kind,
                "body": book.bank.take("reviews")["text"] if kind == "review" else None,
                "published_at": period.working_moment(account.country, day, rng),
            }
            book.landing.add("feedback_references", period.nightly(day), row)
        if rng.random() < _OWNER_NOTES_PER_YEAR * years:
            day = period.next_business(account.country, rng.randrange(first, last))
            row = {
                "note_id": account.sequence("NOTE"),
                "account_id": account.account_id,
                "author_id": account.owner_id,
                "body": book.bank.take("notes")["text"],
                "written_at": period.working_moment(account.country, day, rng),
            }
            book.landing.add("crm_owner_notes", period.nightly(day), row)


def add_ordinary_meetings(book: Book) -> None:
    """Weekly syncs for the largest, monthly check-ins, quarterly reviews; none where a play must stay unheld."""
    for account in book.accounts:
        rng = book.streams.random("meetings", account.number)
        last = account.churn_day or book.horizon + 20
        offset = rng.randrange(0, 20)
        for number in range(account.first_use + offset, last, 28):
            day = book.period.next_business(account.country, number)
            is_review = (number - account.first_use - offset) // 28 % 3 == 2
            status = (
                "cancelled" if any(start <= day <= end for start, end in account.busy_meetings) else "held"
            )
            kind = "qbr" if is_review else "check_in"
            meeting_id, start = plan_meeting(book, account, kind, day, rng, status=status)
            if not is_review or status != "held" or day > book.horizon:
                continue
            if rng.random() < _TRANSCRIPT_SHARE:
                write_transcript(book, account, meeting_id, start, "qbr", rng)
            elif rng.random() < _NOTE_SHARE:
                row = {
                    "note_id": account.sequence("CAL"),
                    "account_id": account.account_id,
                    "meeting_id": meeting_id,
                    "kind": "qbr",
                    "body": book.bank.take("notes")["text"],
                    "sentiment": round(rng.uniform(-0.3, 0.8), 2),
                    "attendee_titles": str(account.contacts[0].record.values["title"]),
                    "held_at": start,
                }
                book.landing.add("meetings_notes", book.period.nightly(day), row)
        if account.segment == "enterprise":
            for number in range(account.first_use + offset % 7, last - 20, 7):
                plan_meeting(
                    book,
                    account,
                    "check_in",
                    book.period.next_business(account.country, number),
                    rng,
                    is_external=False,
                )
