"""Support questions turning advanced: texts and tags in, firing events out, on both engines."""

from __future__ import annotations

import random

import pytest

from expansion_assets.triggers import advanced_tickets


class Desk:
    """Tickets and their tags."""

    def __init__(self, on):
        self.on = on
        self.texts = []
        self.tags = []

    def ask(self, number, *, advanced=True, requester="r1", topic="api", account="a", known=None, **tag):
        text_id = f"t{len(self.texts)}"
        self.texts.append({
            "text_id": text_id, "account_id": account, "requester_key": requester, "topic": topic,
            "happened_on": self.on(number), "known_on": self.on(number if known is None else known),
        })
        label = "advanced_intent" if advanced else "basic_intent"
        self.tags.append({"tag_id": f"g{text_id}", "text_id": text_id, "label": label, **tag})
        return self

    def three(self, number, **question):
        """Three advanced questions of two requesters on one day."""
        for requester, topic in (("r1", "api"), ("r2", "api"), ("r2", "webhooks")):
            self.ask(number, requester=requester, topic=topic, **question)
        return self

    def run(self, book, days=60, accounts=("a",), blind=(), start=0):
        account_day = self.account_days(days, accounts, blind)
        return book.detect(
            advanced_tickets, self.on(start), self.on(days), account_day=account_day, texts=self.texts, tags=self.tags
        )

    def account_days(self, days, accounts=("a",), blind=()):
        return [
            {"account_id": account, "as_of_date": self.on(number), "watchable_support": number not in blind}
            for account in accounts
            for number in range(-10, days)
        ]


@pytest.fixture
def desk(on):
    return Desk(on)


def test_three_advanced_questions_of_two_requesters_fire(book, desk, story):
    found = desk.three(5).run(book)
    assert story(found.events) == [(5, "opened", None)]
    assert found.events[0].subject_key == "tickets"
    assert [(line.measure, line.value, line.threshold) for line in found.evidence[:2]] == [
        ("advanced_tickets", 3, 3), ("advanced_share", 1.0, 0.5),
    ]
    assert found.evidence[2].quote == "so it is written"
    assert found.evidence[2].tag_id in {tag["tag_id"] for tag in desk.tags}


@pytest.mark.parametrize(
    "tag",
    [{"is_quote_found": False}, {"polarity": "negated"}, {"polarity": "hypothetical"}, {"label": "adjacent_use"}],
)
def test_unproven_tags_do_not_count(book, desk, tag):
    assert desk.three(5, **tag).run(book).events == ()


def test_a_question_asked_three_times_counts_once(book, desk):
    for _ in range(3):
        desk.ask(5)
    desk.ask(5, requester="r2")
    assert desk.run(book).events == ()


@pytest.mark.parametrize(("topics", "fires"), [(("api", "sso", "hooks"), True), (("api", "sso", "sso"), False)])
def test_the_sole_contact_needs_three_topics(book, desk, topics, fires):
    for number, topic in enumerate(topics):
        desk.ask(5 + number, topic=topic)
    assert bool(desk.run(book).events) is fires


def test_one_advanced_requester_among_others_is_not_the_sole_contact(book, desk):
    for number, topic in enumerate(("api", "sso", "hooks")):
        desk.ask(5 + number, topic=topic)
    desk.ask(5, advanced=False, requester="r2", topic="login")
    assert desk.run(book).events == ()


@pytest.mark.parametrize(("basic", "fires"), [(3, True), (4, False)])
def test_half_of_the_window_must_be_advanced(book, desk, basic, fires):
    for number in range(basic):
        desk.ask(5, advanced=False, topic=f"basic {number}")
    assert bool(desk.three(5).run(book).events) is fires


class TestBaseline:
    @pytest.mark.parametrize(("advanced_before", "fires"), [(1, True), (3, False)])
    def test_window_must_lie_25_points_above(self, book, desk, advanced_before, fires):
        """4 questions before; with 1 advanced: (1 + 4 x 0.25) / 8 = 0.25, with 3: (3 + 4 x 0.75) / 8 = 0.75."""
        for number in range(4):
            desk.ask(-60, advanced=number < advanced_before, topic=f"old {number}")
        for number in range(1):
            desk.ask(5, advanced=False, topic=f"basic {number}")
        assert bool(desk.three(5).run(book).events) is fires

    def test_a_book_that_asks_advanced_questions_raises_the_bar(self, book, desk):
        """No baseline of its own: (0 + 4 x book) / 4 = book share; 0.75 of the window against 0.6 + 0.25."""
        for number in range(5):
            desk.ask(-60, advanced=number < 3, topic=f"old {number}", account="b")
        desk.three(5).ask(5, advanced=False, topic="login")
        assert desk.run(book, accounts=("a", "b")).events == ()

    @pytest.mark.parametrize(("days_ago", "is_baseline"), [(31, True), (30, False), (120, True), (121, False)])
    def test_spans_120_to_31_days_ago(self, book, desk, days_ago, is_baseline):
        """Four advanced questions in the baseline make the same mix in the window nothing new."""
        for number in range(4):
            desk.ask(5 - days_ago, topic=f"old {number}", known=5)
        desk.three(5)
        events = [event for event in desk.run(book, days=6).events if event.as_of_date == desk.on(5)]
        assert bool(events) is not is_baseline


def test_counts_from_the_day_it_is_known(book, desk, story):
    desk.ask(5).ask(5, topic="sso").ask(5, requester="r2", known=9)
    assert story(desk.run(book).events) == [(9, "opened", None)]


def test_is_advanced_from_the_day_its_advanced_ticket_is_known(book, desk, story):
    desk.ask(5, advanced=False).ask(5, known=9).ask(5, topic="sso").ask(5, requester="r2")
    assert story(desk.run(book).events) == [(9, "opened", None)]


def test_known_too_late_never_counts(book, desk):
    desk.ask(5).ask(5, topic="sso").ask(5, requester="r2", known=35)
    assert desk.run(book).events == ()


class TestOutage:
    accounts = tuple("abcdefgh")

    def outage(self, desk, accounts):
        """One topic, many accounts, one day; account a also asks two advanced questions of its own."""
        for account in accounts:
            desk.ask(5, account=account, topic="down")
        return desk.ask(5, requester="r2", topic="api").ask(5, requester="r2", topic="sso")

    @pytest.mark.parametrize(("struck", "fires"), [(4, True), (5, False)])
    def test_questions_of_an_outage_are_left_out(self, book, desk, struck, fires):
        found = self.outage(desk, self.accounts[:struck]).run(book, accounts=self.accounts)
        assert [event.account_id for event in found.events] == (["a"] if fires else [])

    def test_an_outage_is_a_share_of_the_book(self, book, desk):
        """5 of 60 accounts are under 10 %."""
        accounts = [*self.accounts, *(f"other {number}" for number in range(52))]
        assert self.outage(desk, self.accounts[:5]).run(book, accounts=accounts).events

    def test_an_outage_is_left_out_of_the_baseline_too(self, book, desk):
        """Kept, eight advanced questions of 60 days ago would raise the book's share to 1."""
        for account in self.accounts:
            desk.ask(-55, account=account, topic="down")
        assert desk.three(5).run(book, accounts=self.accounts).events


def test_re_arms_after_thirty_false_days(book, desk, story):
    """Three questions on day 5 hold until day 34; the 30th false day is day 64."""
    found = desk.three(5).three(70).run(book, days=100)
    assert story(found.events)[:2] == [(5, "opened", None), (64, "closed", "re_armed")]


def test_blind_days_neither_open_nor_count(book, desk, story):
    found = desk.three(5).run(book, days=100, blind={5, 6, 40, 41})
    assert story(found.events) == [(7, "opened", None), (66, "closed", "re_armed")]


def test_first_watchable_day_is_initial_state(book, desk, story):
    (event,) = desk.three(5).run(book, days=10, blind=set(range(-10, 7))).events
    assert (event.as_of_date, event.is_initial_state) == (desk.on(7), True)


def test_run_in_parts_equals_one_run_whatever_the_order_of_rows(book, desk, on):
    dice = random.Random(11)
    accounts = tuple("abcdefgh")
    for number in range(-100, 160):
        for account in accounts:
            if dice.random() < 0.25:
                is_building = (number // 40 + ord(account)) % 3 == 0
                desk.ask(
                    number, account=account, advanced=dice.random() < (0.8 if is_building else 0.1),
                    requester=dice.choice(["r1", "r2", None]), topic=dice.choice(["api", "sso", None]),
                    known=number + dice.choice([0, 0, 0, 1, 9]),
                )
    for account in accounts:
        desk.ask(50, account=account, topic="down")
    account_day = [
        {"account_id": account, "as_of_date": on(number), "watchable_support": dice.random() > 0.05}
        for account in accounts
        for number in range(160)
    ]
    tables = {"account_day": account_day, "texts": desk.texts, "tags": desk.tags}
    whole = book.detect(advanced_tickets, on(0), on(160), **tables)
    assert {event.event_type for event in whole.events} == {"opened", "closed"}
    shuffled = {name: dice.sample(rows, len(rows)) for name, rows in tables.items()}
    assert book.detect(advanced_tickets, on(0), on(160), **shuffled) == whole
    edges = [on(0), on(1), on(60), on(61), on(62), on(110), on(160)]
    assert book.detect_in_parts(advanced_tickets, edges, **tables) == whole


def test_words_that_are_withdrawn_supersede_the_firing_and_may_fire_anew(book, desk, on, story):
    """Without the third question two are left; a new one makes three again."""
    desk.three(5).ask(12, requester="r3")
    desk.tags[2]["withdrawn_on"] = on(9)
    assert story(desk.run(book).events) == [
        (5, "opened", None), (9, "superseded", "evidence_withdrawn"), (12, "opened", None),
    ]


def test_a_question_stays_advanced_while_one_of_its_quotes_stands(book, desk, on, story):
    desk.three(5)
    desk.tags.append({**desk.tags[2], "tag_id": "again"})
    desk.tags[2]["withdrawn_on"] = on(9)
    assert [event for event in story(desk.run(book, days=30).events) if event[1] == "superseded"] == []


def test_a_withdrawn_quote_is_no_evidence(book, desk, on):
    desk.three(5)
    desk.ask(8, requester="r3", known=4)
    desk.tags[2]["withdrawn_on"] = on(5)
    desk.tags[2]["quote"] = "taken back"
    found = desk.ask(5, requester="r4", topic="sso").run(book)
    assert found.events
    assert "taken back" not in {line.quote for line in found.evidence}
