"""Reading a file of the catalogue: YAML to frozen models, or an error that names file, key and fault.

Belongs here: what every file of the catalogue shares. Does not belong here: the shape of any of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where libyaml is there
CATALOGUE_DIR = Path(__file__).resolve().parent
M = TypeVar("M", bound=BaseModel)


class CatalogueError(ValueError):
    """A catalogue file is missing, malformed, or holds a value that no rule allows."""


def read_yaml(path: Path) -> dict[str, Any]:
    """A file of the catalogue.

    Raises:
        CatalogueError: missing, not YAML, or no mapping of keys.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except FileNotFoundError:
        raise CatalogueError(f"{path.name}: not found in {path.parent}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path.name}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise CatalogueError(f"{path.name}: must be a mapping of keys, not {type(content).__name__}")
    return content


def validated(model: type[M], values: object, file: str, where: str = "") -> M:
    """Values as a model.

    Raises:
        CatalogueError: one line per fault, naming file and key.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = [(".".join(filter(None, [where, *map(str, fault["loc"])])), fault["msg"]) for fault in error.errors()]
        raise CatalogueError("\n".join(f"{file}: {key or 'file'}: {message}" for key, message in faults)) from error
