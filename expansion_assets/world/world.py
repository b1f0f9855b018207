"""The whole demo world, from a seed to files.

Belongs here: the order of planning and the public entry point. Does not belong here: any rule of the plan.
"""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from expansion_assets.settings import DEMO_PSEUDONYM_KEY
from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.identity import Resolver
from expansion_assets.world import (
    accounts,
    commerce,
    feedback,
    people,
    plays,
    population,
    telemetry,
    tickets,
    usage,
)
from expansion_assets.world.cases import roster
from expansion_assets.world.model import Book
from expansion_assets.world.period import Period, first_day_of
from expansion_assets.world.streams import Streams
from expansion_assets.world.texts import TextBank
from expansion_assets.world.truth import Case, write_answer_key
from expansion_assets.world.writer import Landing

logger = logging.getLogger(__name__)

# The hard world's "today": with 24 months it holds 29 February 2024, four clock changes, and each season twice.
HARD_LAST_DAY = date(2025, 6, 30)
HARD_TIME_ZONE = "Europe/Berlin"
VERSION = "2"
WORLD_FILE = "_world/world.json"
_RELEASE_SHARE, _OUTAGE_SHARE = 0.62, 0.44  # of the period: away from its ends and from each other


@dataclass(frozen=True)
class World:
    """What was generated."""

    directory: Path
    seed: int
    accounts: int
    months: int
    first_day: date
    last_day: date
    cases: list[Case] = field(repr=False)
    rows: dict[str, int] = field(repr=False)
    """Landing rows by table."""
    text_rounds: dict[str, int] = field(repr=False)
    """How often each file of the text bank was begun; 1 means that no text was used twice."""


def generate(
    directory: Path,
    *,
    seed: int = 7,
    accounts: int = 60,
    months: int = 12,
    last_day: date = date(2026, 6, 30),
    time_zone: str = "UTC",
    is_hard: bool = False,
    pseudonym_key: str = DEMO_PSEUDONYM_KEY,
) -> World:
    """Write one book of customers as landing files, with its answer key.

    Args:
        directory: Folder of the landing files; tables' files from an earlier world in it are replaced.
        seed: Same seed and sizes, same bytes.
        accounts: Size of the book; planted cases scale with it (counts are per 60 accounts).
        months: Calendar months, the last one being that of ``last_day``; fewer than four leave out most cases.
        last_day: Last day of the world, its "today".
        time_zone: Workspace time zone, by whose clock the exports run.
        is_hard: Plant the hard cases as well, and fewer of the ordinary ones (``cases/roster.py``).
        pseudonym_key: Key under which the answer key names people.

    Raises:
        ValueError: fewer than 3 accounts or 1 month.
    """
    if accounts < 3 or months < 1:
        raise ValueError(f"a world needs at least 3 accounts and 1 month, not {accounts} and {months}")
    period = Period(first_day_of(last_day, months), last_day, time_zone)
    book = plan(seed, accounts, period, pseudonym_key, is_hard=is_hard)
    _export(book)
    _clear(directory)
    rows = book.landing.write(directory)
    write_answer_key(book.cases, directory)
    head = _head(seed, accounts, period, pseudonym_key, is_hard=is_hard)
    (directory / WORLD_FILE).write_text(json.dumps(head, indent=2) + "\n", encoding="utf-8")
    logger.info("world: %d accounts, %d rows, %d cases", accounts, sum(rows.values()), len(book.cases))
    return World(
        directory,
        seed,
        accounts,
        months,
        period.first_day,
        last_day,
        book.cases,
        rows,
        dict(book.bank.rounds),
    )


def is_current(
    directory: Path, *, seed: int = 7, accounts: int = 60, months: int = 12, last_day: date = date(2026, 6, 30),
    time_zone: str = "UTC", is_hard: bool = False, pseudonym_key: str = DEMO_PSEUDONYM_KEY,
) -> bool:
    """Whether the folder holds exactly the world that :func:`generate` would write; arguments as there."""
    path = directory / WORLD_FILE
    period = Period(first_day_of(last_day, months), last_day, time_zone)
    return path.is_file() and json.loads(path.read_text(encoding="utf-8")) == _head(
        seed, accounts, period, pseudonym_key, is_hard=is_hard
    )


def _head(seed: int, accounts: int, period: Period, pseudonym_key: str, *, is_hard: bool) -> dict[str, int | str]:
    first, last = period.first_day, period.last_day
    return {
        "seed": seed,
        "accounts": accounts,
        "months": (last.year - first.year) * 12 + last.month - first.month + 1,
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "time_zone": period.time_zone,
        "is_hard": is_hard,
        "version": VERSION,
        "key_fingerprint": Resolver(pseudonym_key).key_fingerprint,
    }


def plan(seed: int, size: int, period: Period, pseudonym_key: str, *, is_hard: bool = False) -> Book:
    """Plan a book and its cases; nothing of daily use is drawn yet and no file written."""
    streams = Streams(seed)
    book = Book(
        period=period,
        streams=streams,
        bank=TextBank(streams),
        landing=Landing(period),
        release_day=roster.common_day(period, _RELEASE_SHARE),
        outage_day=roster.common_day(period, _OUTAGE_SHARE),
        pseudonym_key=pseudonym_key,
    )
    book.owners = accounts.build_owners(size, streams)
    book.accounts = [accounts.build_account(book, number) for number in range(size)]
    placements = roster.cast(book, is_hard=is_hard)
    for account in book.accounts:
        accounts.write_contract(account, book)
        population.populate(account, book)
        people.add_contacts(account, book)
        people.add_ordinary_moves(account, book)
    for placement in placements:
        rng = streams.random("case", placement.kind.name, placement.account.number)
        placement.kind.plant(book, placement.account, placement.day, rng)
    plays.add_plays(book)
    tickets.add_ordinary_tickets(book)
    feedback.add_ordinary_feedback(book)
    feedback.add_ordinary_meetings(book)
    commerce.add_commerce(book)
    commerce.add_owner_absences(book)
    telemetry.add_meters(book)
    return book


def _export(book: Book) -> None:
    accounts.export_lists(book)
    usage.export_features(book)
    for account in book.accounts:
        accounts.export(account, book)
        population.export(account, book)
        people.export(account, book)
        usage.export(account, book)
    population.touch(book)


def _clear(directory: Path) -> None:
    for folder in {Path(contract.files).parts[0] for contract in load_contracts().values()}:
        shutil.rmtree(directory / folder, ignore_errors=True)
