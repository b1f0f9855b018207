"""People who asked to be forgotten: who they are, what becomes of their rows, which files held them.

Belongs here: pure rules and the rewriting of landing files. Does not belong here: the warehouse and the order of a
purge (``store/forget.py``), the command line, Dagster.
"""


class ForgetError(RuntimeError):
    """A purge that cannot start or could not finish; the message says what is left."""


class SuppressionError(ForgetError):
    """The suppression list cannot be read with this key: it would let everybody on it back in."""
