"""Reading contract files: YAML with line numbers, so that a bad contract is refused by file, line, table and column.

Belongs here: duplicate keys, where a value stands, the wording of a refusal. Does not belong here: what a contract may
say (the package itself).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

Location = tuple[str | int, ...]


class Document:
    """One YAML file as values, with the line on which each of them stands."""

    def __init__(self, path: Path, refuse: type[ValueError]) -> None:
        """Read a file.

        Args:
            path: The file.
            refuse: Error to raise; its message names file and line.

        Raises:
            ValueError: not UTF-8, not YAML, or a key is used twice.
        """
        self.path = path
        self._refuse = refuse
        try:
            text = path.read_text(encoding="utf-8")
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.values: Any = yaml.safe_load(text)
        except UnicodeDecodeError as error:
            raise refuse(f"{path.name}: not UTF-8: byte {error.start}") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise refuse(f"{path.name}:{line}: not YAML: {error.problem}") from error
        except (yaml.YAMLError, ValueError) as error:
            raise refuse(f"{path.name}: not YAML: {error}") from error
        self._refuse_repeated_keys(self._root, ())

    def line(self, location: Iterable[str | int]) -> int:
        """Line of the deepest part of a location that the file has; 1 for an empty file."""
        node, line = self._root, 1
        for part in location:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return line

    def refusal(self, location: Location, message: str) -> ValueError:
        """The error for a place in the file: ``crm.yml:12: crm_contacts.columns.email.type: ...``."""
        where = ".".join(str(part) for part in location if part != "tables")
        return self._refuse(f"{self.path.name}:{self.line(location)}: {where}: {message}")

    def validation_refusal(self, error: ValidationError, prefix: Location) -> ValueError:
        """The error for everything that pydantic found, one line each, by line of the file."""
        found = []
        for item in error.errors():
            location = (*prefix, *(part for part in item["loc"] if part != "[key]"))
            message = item["msg"].removeprefix("Value error, ")
            if item["type"] == "extra_forbidden":
                message = "no such key"
            elif item["type"] == "missing":
                message = "is missing"
            found.append((self.line(location), str(self.refusal(location, message))))
        return self._refuse("\n".join(text for _, text in sorted(found)))

    def _refuse_repeated_keys(self, node: yaml.Node | None, location: Location) -> None:
        if isinstance(node, yaml.SequenceNode):
            for place, child in enumerate(node.value):
                self._refuse_repeated_keys(child, (*location, place))
        if not isinstance(node, yaml.MappingNode):
            return
        seen: set[str] = set()
        for key, child in node.value:
            name = str(key.value)
            if name in seen:
                where = ".".join(str(part) for part in (*location, name) if part != "tables")
                raise self._refuse(f"{self.path.name}:{key.start_mark.line + 1}: {where}: the key is used twice")
            seen.add(name)
            self._refuse_repeated_keys(child, (*location, name))


def _child(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line + 1, value
    return None
