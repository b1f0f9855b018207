"""Languages: what is left unread, and that no English line is."""

import pytest

from expansion_assets.tagging.languages import foreign_language
from expansion_assets.tagging.schema import Text
from expansion_assets.tagging.tagger import read_at_once

FOREIGN = [
    ("de", "Wir brauchen eine Schnittstelle, um die Daten jede Nacht abzuholen."),
    ("de", "Unsere Lizenzen sind alle vergeben."),
    ("fr", "Nous avons atteint le nombre maximal de licences."),
    ("fr", "Je fais encore tout cela dans un tableur."),
    ("es", "Necesitamos una integración con nuestro ERP."),
    ("it", "Vorremmo esportare i dati in modo automatico."),
    ("nl", "Wij willen graag een koppeling met ons boekhoudpakket."),
    ("pt", "Precisamos de uma integração com o sistema de faturação."),
    ("pl", "Potrzebujemy integracji z naszym systemem księgowym."),
    ("sv", "Vi behöver ett API för att hämta våra siffror."),
    ("ja", "レポートをエクスポートできません。"),
    ("zh", "我们需要与ERP系统集成。"),
]
SHORT = [
    "Great tool!", "Crashes constantly on Android", "No native Salesforce integration", "Need Zapier asap",
    "TypeError: undefined is not a function", "Error 429 Too Many Requests", "Merci team, great job!", "", "\U0001f600",
]  # fmt: skip


@pytest.mark.parametrize(("language", "body"), FOREIGN)
def test_other_languages_are_told(language, body):
    assert foreign_language(body) == language


@pytest.mark.parametrize("body", SHORT)
def test_short_english_and_nothing_are_not_foreign(body):
    assert foreign_language(body) is None


def test_no_own_line_is_foreign(training, holdout):
    assert [row.id for row in [*training, *holdout] if foreign_language(row.text)] == []


def test_foreign_texts_are_marked_and_not_guessed(tagger):
    german = "Wir haben keine Lizenzen mehr, API und Excel Export fehlen uns, bitte Webhooks und SSO freischalten."
    texts = [Text("a", "h", "ticket", "customer", german), Text("b", "h", "ticket", "customer", "We ran out of seats.")]
    batch = read_at_once(tagger, texts)
    assert [(one.status, one.reason) for one in batch.readings] == [("spared", "language de"), ("read", None)]
    assert batch.readings[0].tags == ()
