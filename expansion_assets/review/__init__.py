"""Review: what people did with cards.

Belongs here: matching play-log events to cards and deriving a card's state from them, as known on a day. Does not
belong here: how events are entered (desk) or landed (``sources``), and gates or scores (``readiness``).
"""
