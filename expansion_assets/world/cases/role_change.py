"""People who join, rise, take over the renewal or leave, and changes that only look like it.

Belongs here: ROLE_CHANGE. Does not belong here: ordinary comings and goings (``people.py``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from expansion_assets.sources.identity import person_key
from expansion_assets.world import people
from expansion_assets.world.cases.kinds import Kind, Plant
from expansion_assets.world.model import Account, Book, Contact
from expansion_assets.world.names import FUNCTION_LABELS

_TRIGGER = "ROLE_CHANGE"
_REPEATED_AFTER = 70


def settled(account: Account) -> bool:
    """A customer from before the world to its end."""
    return account.start < 0 and account.churn_day is None and not account.is_reserved


def _is_settled_user(contact: Contact) -> bool:
    return contact.record.values["deal_role"] == "user" and not contact.record.changes


def add_true(
    book: Book, name: str, account: Account, sub: str, email: str, window: tuple[int, int], note: str
) -> None:
    """Write a move that must fire into the answer key; the person by the pseudonym that the warehouse has."""
    book.add_case(name, account, _TRIGGER, sub, person_key(email, book.pseudonym_key), window, note)


def add_decoy(
    book: Book,
    name: str,
    account: Account,
    sub: str,
    email: str,
    window: tuple[int, int],
    note: str,
    kind: str,
) -> None:
    """Write a move that must not fire into the answer key."""
    book.add_case(name, account, _TRIGGER, sub, person_key(email, book.pseudonym_key), window, note, kind)


def push_change(
    book: Book, account: Account, contact: Contact, day: int, rng: Random, moment: datetime | None = None,
    **row: str | None,
) -> None:
    """Let the CRM push a change of a contact; ``moment`` (UTC) is in working hours where not given."""
    moment = moment or book.period.working_moment(account.country, day, rng)
    values = contact.record.values
    row = {"function": values["function"]} | row
    people.report_webhook(book, account, moment, contact_id=values["contact_id"], email=contact.email, **row)


def _join_executive(
    book: Book, account: Account, day: int, rng: Random, title: str, function: str
) -> Contact:
    contact = people.add_contact(account, rng, day, title, "user", function)
    push_change(book, account, contact, day, rng, move="joined", to_title=title)
    return contact


def _plant_executive(
    function: str | None, title: str, *, by_alert: bool = False, second_source: bool = False
) -> Plant:
    def plant(book: Book, account: Account, day: int, rng: Random) -> None:
        area = function or account.function
        text = title.format(label=FUNCTION_LABELS.get(area, area))
        note = f"{text} joins"
        if by_alert:
            name, email = account.person(rng)
            people.report_alert(
                book,
                account,
                day - 6,
                day,
                person_name=name,
                person_email=email,
                move="joined",
                to_title=text,
                function=area,
            )
            note += ", told by a job alert alone"
        else:
            contact = _join_executive(book, account, day, rng, text, area)
            name, email = contact.name, contact.email
        if second_source:
            people.report_alert(
                book,
                account,
                day - 2,
                day + 12,
                person_name=name,
                person_email=email,
                move="joined",
                to_title=text,
                function=area,
            )
            moment = book.period.working_moment(account.country, day + 3, rng)
            people.report_signature(book, account, moment, email, None, text)
            note += "; a job alert twelve days later is a second source"
        add_true(book, "new-executive", account, "new_executive", email, (day, day + 1), note)
        again = day + _REPEATED_AFTER
        if second_source and again + 5 <= book.horizon:
            people.report_alert(
                book,
                account,
                day + 1,
                again,
                person_name=name,
                person_email=email,
                move="joined",
                to_title=text,
                function=area,
            )
            window = (again - 1, again + 60)
            told = f"the same arrival told again after {_REPEATED_AFTER} days"
            add_decoy(book, "repeated-move", account, "new_executive", email, window, told, "repeated_move")

    return plant


def _plant_promotion(before: str, after: str, *, by_signature: bool = False) -> Plant:
    def plant(book: Book, account: Account, day: int, rng: Random) -> None:
        label = FUNCTION_LABELS[account.function]
        old, new = before.format(label=label), after.format(label=label)
        contact = people.add_contact(account, rng, -rng.randrange(15, 90), old, "user")
        moment = book.period.working_moment(account.country, day, rng)
        if by_signature:
            people.report_signature(book, account, moment, contact.email, old, new)
            contact.record.change(day + 9, title=new)
        else:
            push_change(book, account, contact, day, rng, move="title_changed", from_title=old, to_title=new)
            contact.record.change(day, title=new)
        opens = day + 1 if by_signature else day
        add_true(
            book, "promotion", account, "promotion", contact.email, (opens, opens + 1), f"{old} becomes {new}"
        )

    return plant


def plant_renewal_contact(book: Book, account: Account, day: int, rng: Random) -> None:
    """A user contact takes over the renewal from another person."""
    old = account.contact("renewal_contact")
    new = people.add_contact(
        account, rng, -rng.randrange(15, 90), "Contract Specialist", "user", "procurement"
    )
    push_change(
        book,
        account,
        new,
        day,
        rng,
        move="deal_role_changed",
        from_deal_role="user",
        to_deal_role="renewal_contact",
    )
    new.record.change(day, deal_role="renewal_contact")
    old.record.change(day, deal_role="user")
    note = f"{new.name} takes the renewal over from {old.name}"
    add_true(book, "renewal-contact", account, "renewal_contact", new.email, (day, day + 1), note)


def _leave(book: Book, account: Account, day: int, rng: Random, *, by_mailbox: bool) -> int:
    """Let the champion go; returns the day on which it is first known."""
    champion = account.contact("champion")
    opens = day
    if by_mailbox:
        moment = book.period.working_moment(account.country, day, rng)
        people.report_absence(book, account, moment, champion.email, "left_company")
        champion.record.change(day + 6, status="left")
        opens = day + 1
    else:
        title = champion.record.values["title"]
        push_change(book, account, champion, day, rng, move="left", from_title=title, from_deal_role="champion")
        champion.record.change(day, status="left")
    note = f"champion {champion.name} leaves"
    add_true(book, "champion-left", account, "champion_left", champion.email, (opens, opens + 1), note)
    return opens


def _plant_leaver(*, by_mailbox: bool) -> Plant:
    def plant(book: Book, account: Account, day: int, rng: Random) -> None:
        _leave(book, account, day, rng, by_mailbox=by_mailbox)
        later = book.period.next_business(account.country, day + 40)
        if later < book.horizon:  # a user contact becomes the next champion; no trigger of its own
            users = [item for item in account.contacts if _is_settled_user(item)]
            users[0].record.change(later, deal_role="champion")

    return plant


def plant_succession(book: Book, account: Account, day: int, rng: Random) -> None:
    """The champion leaves and a vice president of the same function joins two weeks later: one episode."""
    _leave(book, account, day, rng, by_mailbox=False)
    joins = book.period.next_business(account.country, day + 14)
    title = f"VP {FUNCTION_LABELS[account.function]}"
    contact = _join_executive(book, account, joins, rng, title, account.function)
    note = f"{title} follows the champion within 30 days: part of the leaver's episode"
    window = (joins - 1, joins + 40)
    add_decoy(book, "same-episode", account, "new_executive", contact.email, window, note, "same_episode")


def _plant_title(name: str, before: str | None, after: str, note: str) -> Plant:
    def plant(book: Book, account: Account, day: int, rng: Random) -> None:
        label = FUNCTION_LABELS[account.function]
        old, new = before and before.format(label=label), after.format(label=label)
        contact = people.add_contact(account, rng, -rng.randrange(15, 90), old, "user")
        contact.record.change(day, title=new)
        moment = book.period.working_moment(account.country, day, rng)
        people.report_signature(book, account, moment + timedelta(days=2), contact.email, old, new)
        kind = name.replace("-", "_")
        add_decoy(
            book,
            name,
            account,
            "promotion",
            contact.email,
            (day - 1, day + 60),
            f"{old} -> {new}: {note}",
            kind,
        )

    return plant


def _plant_arrival(name: str, title: str, function: str | None, note: str) -> Plant:
    def plant(book: Book, account: Account, day: int, rng: Random) -> None:
        area = function or account.function
        contact = _join_executive(
            book, account, day, rng, title.format(label=FUNCTION_LABELS.get(area, area)), area
        )
        kind = name.replace("-", "_")
        add_decoy(book, name, account, "new_executive", contact.email, (day - 1, day + 60), note, kind)

    return plant


def plant_absence(book: Book, account: Account, day: int, rng: Random) -> None:
    """The champion is away for long and comes back."""
    champion = account.contact("champion")
    moment = book.period.working_moment(account.country, day, rng)
    people.report_absence(book, account, moment, champion.email, "long_absence")
    people.report_absence(book, account, moment + timedelta(days=49), champion.email, "back")
    note = "parental leave, seven weeks: the champion has not left"
    add_decoy(
        book,
        "long-absence",
        account,
        "champion_left",
        champion.email,
        (day - 1, day + 60),
        note,
        "long_absence",
    )


def plant_first_renewal_contact(book: Book, account: Account, day: int, rng: Random) -> None:
    """Nobody held the renewal before; naming the first is no change."""
    holder = account.contact("renewal_contact")
    holder.record.values["deal_role"] = "user"
    push_change(
        book,
        account,
        holder,
        day,
        rng,
        move="deal_role_changed",
        from_deal_role="user",
        to_deal_role="renewal_contact",
    )
    holder.record.change(day, deal_role="renewal_contact")
    note = "the first renewal contact ever named"
    window = (day - 1, day + 60)
    add_decoy(
        book,
        "first-renewal-contact",
        account,
        "renewal_contact",
        holder.email,
        window,
        note,
        "first_renewal_contact",
    )


def _kind(name: str, count: int, earliest: int, plant: Plant, settle: int = 4) -> Kind:
    return Kind(name, "people", count, earliest, plant, suits=settled, settle=settle)


KINDS = (
    _kind("executive", 1, 20, _plant_executive(None, "VP {label}")),
    _kind(
        "executive-two-sources",
        1,
        20,
        _plant_executive("finance", "Chief Financial Officer", second_source=True),
        80,
    ),
    _kind("executive-it", 1, 20, _plant_executive("it", "Head of Information Technology")),
    _kind(
        "executive-alert", 1, 20, _plant_executive("procurement", "Vice President Procurement", by_alert=True)
    ),
    _kind("promotion-director", 1, 20, _plant_promotion("{label} Manager", "Director of {label}")),
    _kind(
        "promotion-signature",
        1,
        20,
        _plant_promotion("{label} Team Lead", "{label} Manager", by_signature=True),
    ),
    _kind("promotion-vp", 1, 20, _plant_promotion("Director of {label}", "Vice President {label}")),
    _kind("renewal", 3, 20, plant_renewal_contact),
    _kind("leaver", 1, 20, _plant_leaver(by_mailbox=False)),
    _kind("leaver-mailbox", 1, 20, _plant_leaver(by_mailbox=True)),
    _kind("succession", 1, 20, plant_succession, 25),
)
DECOYS = (
    _kind(
        "cosmetic",
        1,
        15,
        _plant_title(
            "cosmetic-title",
            "Sr. Manager, {label}",
            "Senior Manager, {label}",
            "the same rank in other words",
        ),
    ),
    _kind(
        "null-title",
        1,
        15,
        _plant_title("null-title", None, "Director of {label}", "the title was unknown, not lower"),
    ),
    _kind(
        "downward",
        1,
        15,
        _plant_title("downward-title", "Director of {label}", "{label} Manager", "the rank falls"),
    ),
    _kind(
        "unrelated",
        1,
        15,
        _plant_arrival(
            "unrelated-function",
            "VP Human Resources",
            "hr",
            "a vice president of a function that does not matter here",
        ),
    ),
    _kind(
        "below-vp",
        1,
        15,
        _plant_arrival("below-vp", "Director of {label}", None, "joins below vice president"),
    ),
    _kind("absence", 1, 15, plant_absence, 55),
    _kind("first-renewal", 1, 15, plant_first_renewal_contact),
)
