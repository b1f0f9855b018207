"""Daily use: the promises on which cases are planned."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from expansion_assets.world.accounts import build_account, build_owners
from expansion_assets.world.model import Account, Book
from expansion_assets.world.period import Period
from expansion_assets.world.population import add_user, populate
from expansion_assets.world.streams import Streams
from expansion_assets.world.texts import BANK_DIR, TextBank
from expansion_assets.world.usage import activity
from expansion_assets.world.writer import Landing


def _book() -> Book:
    period, streams = Period(date(2025, 7, 1), date(2026, 6, 30)), Streams(5)
    book = Book(
        period,
        streams,
        TextBank(streams, Path(BANK_DIR)),
        Landing(period),
        200,
        150,
        "a key of the test's own",
    )
    book.owners = build_owners(4, streams)
    return book


@pytest.fixture
def book() -> Book:
    return _book()


@pytest.fixture
def account(book: Book) -> Account:
    account = build_account(book, 0)
    populate(account, book)
    return account


def test_spans_are_used_from_first_to_last_without_a_gap_of_28_days(book: Book, account: Account) -> None:
    active = activity(account, book)
    for user, row in zip(account.users, active, strict=True):
        days = np.flatnonzero(row)
        if user.span is None:
            assert not len(days)
            continue
        first, last = user.span
        assert days[0] == first and (days[-1] == last or last == book.horizon)
        assert max(np.diff([*days, min(last, book.horizon)]), default=0) < 28


def test_a_new_user_leaves_the_others_days_alone(book: Book, account: Account) -> None:
    before = activity(account, book)
    add_user(account, book.streams.random("extra"), "Legal", 30, (40, 90))
    assert (activity(account, book)[:-1] == before).all()


def test_planned_days_and_weekdays_are_kept(book: Book, account: Account) -> None:
    rng = book.streams.random("extra")
    add_user(account, rng, "Legal", 30, days=(41, 43))
    add_user(account, rng, "Legal", 30, (41, 300), weekdays=(0, 1, 3))
    visitor, part_time = activity(account, book)[-2:]
    assert list(np.flatnonzero(visitor)) == [41, 43]
    assert set(book.period.weekdays()[np.flatnonzero(part_time)[1:-1]]) <= {0, 1, 3}


def test_a_rota_puts_three_of_a_department_to_work_every_working_day(book: Book, account: Account) -> None:
    department = account.departments[0]
    account.rotas.append((department, 100, 200))
    team = [user.department == department for user in account.users]
    working = np.flatnonzero(book.period.business(account.country)[100:201]) + 100
    assert activity(account, book)[team][:, working].sum(axis=0).min() >= 3
