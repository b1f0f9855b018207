"""Daily use of the product: who works on which day, with which features, and when the rows arrive.

Belongs here: turning planned users into usage rows and logins, as arrays. Does not belong here: who the users are.
A user with a span uses the product on its first and last day and at least once in every ten-day block between, so the
users active in 28 days are exactly those whose span reaches into the window: cases are planned on that.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from expansion_assets.world.model import Account, Book

FEATURES = (  # feature, tier, module
    ("approvals", "core", "Core"),
    ("inbox", "core", "Core"),
    ("workflows", "core", "Core"),
    ("comments", "standard", "Core"),
    ("templates", "standard", "Core"),
    ("mobile_app", "standard", "Core"),
    ("delegations", "standard", "Core"),
    ("smart_routing", "standard", "Core"),
    ("dashboards", "standard", "Analytics"),
    ("form_builder", "standard", "Forms"),
    ("sign_requests", "standard", "Sign"),
    ("bulk_import", "advanced", "Core"),
    ("conditional_routing", "advanced", "Core"),
    ("custom_reports", "advanced", "Analytics"),
    ("api_tokens", "advanced", "Connect"),
    ("webhooks", "advanced", "Connect"),
)
RELEASED = "smart_routing"
_NAMES = np.array([name for name, _, _ in FEATURES])
_BLOCK_DAYS = 10
_TRIAL_EVERY = 10
_LATE_SHARE = 0.004  # rows of ordinary accounts that arrive one to three days late


def activity(account: Account, book: Book) -> np.ndarray:
    """Which user works on which day: booleans, users x days."""
    period, days = book.period, book.period.length
    users = account.users
    # One stream each, filled user by user: a user added by a case leaves the others' days alone.
    draw = book.streams.arrays("activity", account.number).random((len(users), days))
    pick = book.streams.arrays("blocks", account.number).random((len(users), days))
    weekdays = np.zeros((len(users), 7), bool)
    inside = np.zeros((len(users), days), bool)
    for number, user in enumerate(users):
        weekdays[number, list(user.weekdays)] = True
        if user.span:
            inside[number, user.span[0] : user.span[1] + 1] = True
    rates = np.array([user.rate for user in users])
    own_days = weekdays[:, period.weekdays()]
    works = own_days | weekdays[:, :5].all(axis=1, keepdims=True)
    active = inside & works & (draw < rates[:, None] * period.rhythm(account.country))
    _take_vacations(active, book, account)
    active |= _once_per_block(np.where(inside & own_days & period.business(account.country), pick, 0.0))
    for number, user in enumerate(users):
        if user.span:
            active[number, user.span[0]] = True
            if user.span[1] < days - 1:
                active[number, user.span[1]] = True
        active[number, [day for day in user.days if day < days]] = True
    _fill_rotas(active, inside, account, book)
    return active


def _take_vacations(active: np.ndarray, book: Book, account: Account) -> None:
    generator = book.streams.arrays("vacations", account.number)
    starts = (generator.random((len(active), 2)) * active.shape[1]).astype(int)
    for number in range(len(active)):
        for start in starts[number]:
            active[number, start : start + 12] = False


def _once_per_block(chance: np.ndarray) -> np.ndarray:
    users, days = chance.shape
    padded = np.pad(chance, ((0, 0), (0, -days % _BLOCK_DAYS))).reshape(users, -1, _BLOCK_DAYS)
    chosen = np.zeros_like(padded, bool)
    np.put_along_axis(chosen, padded.argmax(axis=2)[:, :, None], True, axis=2)
    return (chosen & (padded > 0)).reshape(users, -1)[:, :days]


def _fill_rotas(active: np.ndarray, inside: np.ndarray, account: Account, book: Book) -> None:
    business = book.period.business(account.country)
    for department, start, end in account.rotas:
        team = [number for number, user in enumerate(account.users) if user.department == department]
        for day in range(start, min(end + 1, active.shape[1])):
            if not business[day]:
                continue
            here = [number for number in team if inside[number, day]]
            missing = 3 - sum(active[number, day] for number in here)
            turn = day % max(len(here), 1)
            for number in [*here[turn:], *here[:turn]]:
                if missing > 0 and not active[number, day]:
                    active[number, day] = True
                    missing -= 1


def export(account: Account, book: Book) -> None:
    """Write usage rows and single sign-on logins of one account."""
    active = activity(account, book)
    generator = book.streams.arrays("usage", account.number)
    user, day = np.nonzero(active)
    rows = len(user)
    core, standard, advanced = _choices(account, book)
    favourite = generator.integers(0, len(core), len(account.users))
    first = np.where(
        generator.random(rows) < 0.7, core[favourite[user]], core[generator.integers(0, len(core), rows)]
    )
    second = standard[generator.integers(0, len(standard), rows)]
    before_release = (_NAMES[second] == RELEASED) & (day < book.release_day)
    second = np.where(before_release, standard[0], second)
    second = _try_module(account, book, second, day)
    skilled = generator.random(len(account.users)) < 0.25
    third = advanced[generator.integers(0, len(advanced), rows)]
    has_second = generator.random(rows) < 0.6
    has_third = (generator.random(rows) < 0.3) & skilled[user]
    user = np.concatenate([user, user[has_second], user[has_third]])
    day = np.concatenate([day, day[has_second], day[has_third]])
    feature = np.concatenate([first, second[has_second], third[has_third]])
    order = np.lexsort((feature, day, user))
    user, day, feature = user[order], day[order], feature[order]
    rows = len(user)
    events = 1 + generator.poisson(4.0, rows)
    lags = np.array([item.arrival_lag for item in account.users], int)
    minutes = np.array([item.arrival_minute for item in account.users], int)
    lag = lags[user] if account.users else np.zeros(0, int)
    if not account.is_steady:
        lag = lag + np.where(generator.random(rows) < _LATE_SHARE, generator.integers(1, 4, rows), 0)
    frame = pl.DataFrame(
        {
            "number": np.arange(rows),
            "user_id": np.array([item.user_id for item in account.users])[user],
            "used_on": day.astype("timedelta64[D]") + np.datetime64(book.period.first_day),
            "feature": _NAMES[feature],
            "event_count": events,
            "minutes": np.round(events * generator.uniform(0.8, 3.2, rows), 1),
            "arrived": (day + lag).astype("timedelta64[D]") + np.datetime64(book.period.first_day, "us")
            + minutes[user].astype("timedelta64[m]"),
        }
    )
    by_line = account.is_reserved and account.number % 2 == 1  # some exports know the subscription line only
    book.landing.add_frame(
        "product_usage",
        frame.select(
            pl.format("USE-{}-{}", pl.lit(f"{account.number:04d}"), pl.col("number")).alias("usage_id"),
            pl.lit(None if by_line else account.account_id, pl.String).alias("account_id"),
            pl.lit(f"{account.account_id}-L2" if by_line else None, pl.String).alias("subscription_id"),
            "user_id",
            "used_on",
            "feature",
            "event_count",
            "minutes",
            _utc(pl.col("arrived"), book).alias("loaded_at"),
        ),
    )
    if account.has_identity:
        _export_logins(account, book, active)


def _try_module(account: Account, book: Book, used: np.ndarray, day: np.ndarray) -> np.ndarray:
    """One account in ten tries a module that it has not bought, in the second half of the period."""
    sold = {"Core", *account.modules}
    others = [place for place, (_, tier, module) in enumerate(FEATURES) if tier == "standard" and module not in sold]
    if account.number % _TRIAL_EVERY != 6 or not others:
        return used
    draw = book.streams.arrays("trial", account.number).random(len(used))
    return np.where((draw < 0.5) & (day >= book.period.length // 2), others[0], used)


def _choices(account: Account, book: Book) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sold = {"Core", *account.modules}
    tiers = {
        tier: np.array(
            [place for place, (_, own, module) in enumerate(FEATURES) if own == tier and module in sold]
        )
        for tier in ("core", "standard", "advanced")
    }
    return tiers["core"], tiers["standard"], tiers["advanced"]


def _export_logins(account: Account, book: Book, active: np.ndarray) -> None:
    generator = book.streams.arrays("logins", account.number)
    people = np.array([user.kind != "service" for user in account.users])
    user, day = np.nonzero(active & people[:, None] & (generator.random(active.shape) < 0.45))
    minute = generator.integers(7 * 60, 15 * 60, len(user))
    first = np.datetime64(book.period.first_day, "us")
    frame = pl.DataFrame(
        {
            "number": np.arange(len(user)),
            "email": np.array([item.email for item in account.users])[user],
            "logged_in_at": first + day.astype("timedelta64[D]") + minute.astype("timedelta64[m]"),
            "day": first + day.astype("timedelta64[D]"),
        }
    )
    book.landing.add_frame(
        "identity_logins",
        frame.select(
            pl.format("LOG-{}-{}", pl.lit(f"{account.number:04d}"), pl.col("number")).alias("login_id"),
            pl.lit(account.account_id).alias("account_id"),
            "email",
            "logged_in_at",
            _utc(pl.col("day") + pl.duration(hours=23, minutes=40), book).alias("loaded_at"),
        ),
    )


def _utc(wall: pl.Expr, book: Book) -> pl.Expr:
    """UTC of what the workspace's clocks show; exports run in the evening, when no clock changes."""
    return wall.dt.replace_time_zone(book.period.time_zone).dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def export_features(book: Book) -> None:
    """Write the product's feature list; the released feature joins it on release day."""
    for name, tier, module in FEATURES:
        day = book.release_day if name == RELEASED else -700
        row = {"feature": name, "tier": tier, "module": module, "introduced_on": book.period.day(day)}
        book.landing.add("product_features", book.period.nightly(day - 1), row)
