"""Which language a text is written in, as far as the embedded tagger must know: it reads English only.

Belongs here: the decision to leave a text unread. Does not belong here: reading it. The model is py3langid's own file
(97 languages, in the package, no network).
"""

from functools import cache, lru_cache
from typing import Any

from expansion_assets.tagging.phrases import words_of

# Why a text was left unread, followed by its language: the reason of its reading.
LANGUAGE = "language "
# Words of English that are no words of other languages in Latin letters, or hardly ever: most texts are settled by
# them at a twentieth of the model's time.
_ENGLISH = frozenset(
    [
        "the", "and", "of", "to", "is", "it", "that", "this", "we", "you", "our", "your", "with", "for", "are", "be",
        "have", "has", "not", "they", "there", "from", "would", "can", "which", "what", "when", "who", "my", "i",
        "it's", "don't", "i'm", "we're", "their", "been", "were", "but", "an", "how", "does", "should", "could",
    ]
)  # fmt: skip
_ENOUGH, _SHARE = 3, 0.15
# Under this many bytes of letters (a Chinese character has three), or less sure than this, nobody can say: such a
# text is read like an English one.
_FEWEST_BYTES = 20
_SURE = 0.60


@lru_cache(maxsize=2_000)  # tagger and reader both ask, a batch of 500 texts apart
def foreign_language(body: str) -> str | None:
    """Return the ISO 639-1 code of the language of `body`, None where it is English, mixed or too short to say."""
    words = words_of(body)
    english = sum(word in _ENGLISH for word in words)
    if english >= _ENOUGH and english >= _SHARE * len(words):
        return None
    if sum(len(character.encode()) for character in body if character.isalpha()) < _FEWEST_BYTES:
        return None
    language, certainty = _identifier().classify(body)
    return None if language == "en" or certainty < _SURE else str(language)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # a second or two to unpack: only where needed

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
