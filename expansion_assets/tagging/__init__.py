"""Reading texts: labels, quotes, polarity, and the embedded tagger.

Belongs here: everything from a text to its tags. Does not belong here: the warehouse (``store``), triggers.
"""
