"""Names and values as SQL text. Belongs here: quoting. Does not belong here: a statement."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """An SQL string."""
    return "'" + str(text).replace("'", "''") + "'"
