"""Jane Doe of Acme is forgotten."""

from __future__ import annotations

import pytest

from expansion_assets.privacy.suppression import Suppression

ADDRESS = "jane.doe@acme.com"


@pytest.fixture
def suppression() -> Suppression:
    empty = Suppression("a key of the tests")
    jane = empty.mailbox(ADDRESS)
    assert jane is not None
    return empty.with_entries(
        [jane, *empty.names("Jane Doe", ["A-1", "acme.com"], jane.hash), empty.identifier("contact_id", "C-1"),
         empty.identifier("user_id", "U-1")]
    )
