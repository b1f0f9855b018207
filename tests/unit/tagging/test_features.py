"""Features: phrases, in-sentence word groups, character counts equal to scikit-learn's."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from expansion_assets.tagging.features import Reading, WordCharacters, read


def test_phrases_are_words_pairs_and_pairs_with_a_gap():
    assert read("No API yet").phrases == (
        "^", "no", "api", "yet", "$", "^ no", "no api", "api yet", "yet $", "^ _ api", "no _ yet", "api _ $"
    )


def test_word_groups_meet_within_a_sentence_only():
    assert "interface+wish" in read("I wish for an API").concepts
    apart = read("I wish you well. The API is fine")
    assert "interface+wish" not in apart.concepts
    assert {"wish", "interface"} <= set(apart.concepts)


def test_character_counts_equal_those_of_scikit_learn():
    bodies = ["We hit the limit, again!", "a limit is a limit", "Nothing here"]
    readings = [Reading(body, (), ()) for body in bodies]
    ours = WordCharacters()
    theirs = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2)
    assert np.array_equal(ours.fit_transform(readings).toarray(), theirs.fit_transform(bodies).toarray())
    unseen = ["limited again"]
    assert np.array_equal(
        ours.transform([Reading(unseen[0], (), ())]).toarray(), theirs.transform(unseen).toarray()
    )
