"""Webhook intake: job-change alerts and contact-role changes that arrive by signed HTTP POST, as landing files.

Belongs here: the protocol, the proof of origin, and the way of an event into its landing file. Does not belong here:
whether an event meets its contract (the loader judges and quarantines), versions, anything that Dagster runs.

**Protocol.** ``POST /v1/job-alerts`` and ``POST /v1/contact-role-changes`` take one JSON object or an array of them
(``application/json``), or one object a line (``application/x-ndjson``); ``GET /healthz`` answers 200, or 503 while the
disk refuses. Each POST carries one header::

    X-Expansion-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>." + raw body>

with further ``v1=`` parts while the sender rotates its key; the receiver may know several keys, too. It is the form
that Stripe uses. A time more than 300 s away from ours is refused.

**Answers.** 200 ``{"accepted": n, "duplicates": m}``: every event of the request is on disk. 400 no JSON object;
401 not signed, forged or too old; 408 too slow; 413 too large; 415 another content type; 503 try again. After any
answer but 200 nothing is promised: send again; what was stored by then counts as a duplicate.

**Once.** An event that was stored before is acknowledged and not stored again. An event is the same when its whole
content is the same: the id alone would lose a correction, which is a new version of the row (known from its own
arrival). The delivery ids of senders are not covered by the signature and are not used.

**Where what is.** ``signature`` proves the origin, ``events`` parses, ``arrivals`` stamps, ``landing_log`` stores and
remembers, ``locks`` keeps out other writers, ``group_commit`` shares one fsync among requests, ``app`` speaks HTTP,
``server`` runs it all.
"""

from __future__ import annotations


class IntakeError(ValueError):
    """The listener cannot start; the message is one line that says what to set right."""
