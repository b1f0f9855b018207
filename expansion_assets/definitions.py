"""The code location: everything under ``defs/``."""

import warnings
from pathlib import Path

import dagster as dg

# Backfill policies, freshness policies and multi-asset checks are beta or preview in 1.13; the pin holds them still.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)


@dg.definitions
def defs() -> dg.Definitions:
    """Load every definition of ``defs/``."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
