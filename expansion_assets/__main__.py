"""``python -m expansion_assets``."""

from expansion_assets.cli import main

if __name__ == "__main__":
    main()
