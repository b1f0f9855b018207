"""Scan: the pages that people read, as data and as HTML, Markdown and JSON.

Belongs here: the manager's plan, fact and gap page, the weekly digest, their rendering and publishing. Does not belong
here: how cards, scores and gates come about (``readiness``), sending anything (``delivery``).
"""
