"""A quote that a language model made up stands in no text, and is barred all the same."""

import duckdb
from text_warehouse import prepare

from expansion_assets.privacy.suppression import BAR, Suppression
from expansion_assets.store.forget import _clean_texts


def test_a_name_in_an_unproven_quote_is_barred(suppression: Suppression) -> None:
    with duckdb.connect() as connection:
        prepare(connection)
        connection.execute(
            "insert into text.tags (tag_id, text_id, quote, is_quote_found)"
            " values ('t1', 'x', 'as Jane Doe said', false), ('t2', 'x', 'as she said', false)"
        )
        _clean_texts(connection, {("features", "texts"): {}, ("text", "tags"): {}}, suppression)
        quotes = connection.execute("select quote from text.tags order by tag_id").fetchall()
    assert quotes == [(f"as {BAR * 8} said",), ("as she said",)]
