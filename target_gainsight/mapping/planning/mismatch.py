"""What is wrong between a stream, its settings and an object, said at once and with the cure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import simplejson

from target_gainsight.mapping.errors import display
from target_gainsight.mapping.escaping import one_line, printable_json
from target_gainsight.mapping.near_names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_gainsight.api.http.json_codec import Json

SettingName = Literal[
    "column",
    "field_mapping",
    "constants",
    "lookup_keys",
    "lookups",
    "required",
    "survey_columns",
]

_NAMING_COLUMNS = frozenset({"field_mapping", "lookups", "survey_columns"})
_PLAIN_YAML = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?: [A-Za-z0-9_-]+)*")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})


@dataclass(frozen=True)
class FieldProblem:
    """One thing that must be put right before the stream can be loaded.

    Attributes:
        setting: Where the name stands: a column of the stream, or a setting.
        name: The name as it stands there.
        message: What is wrong, as a sentence.
        suggestions: Names that may have been meant, best first.
        needs_column: Whether a column would put it right that records carry undeclared.
    """

    setting: SettingName
    name: str
    message: str
    suggestions: tuple[str, ...] = ()
    needs_column: bool = False

    def __str__(self) -> str:
        sentences = (self.message, did_you_mean(self.name, self.suggestions))
        place = "" if self.setting == "column" else f"{self.setting}: "
        return one_line(place + " ".join(each for each in sentences if each))


@dataclass(frozen=True)
class SuggestedSettings:
    """The settings of a stream as they should read; empty parts are left out.

    Attributes:
        field_mapping: Column to field.
        constants: Field to value.
        lookup_keys: The fields that identify a record.
        unknown_fields: The value of the setting of that name, when it should change.
        unmatched: Columns for which no field is left.
    """

    field_mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Json] = field(default_factory=dict)
    lookup_keys: tuple[str, ...] = ()
    unknown_fields: str = ""
    unmatched: tuple[str, ...] = ()

    def yaml(self, stream: str) -> str:
        """The cure as it is pasted under the loader's `config` in meltano.yml."""
        lines = [*self._mapping_lines(), *self._other_lines()]
        if not lines:
            return ""
        body = "\n".join(f"      {line}" for line in lines)
        return f"  streams:\n    {yaml_text(stream)}:\n{body}"

    def _mapping_lines(self) -> list[str]:
        if not self.field_mapping:
            return []
        pairs = [f"  {yaml_text(k)}: {yaml_text(v)}" for k, v in self.field_mapping.items()]
        notes = [f"  # left out: {display(name)}" for name in self.unmatched]
        return ["field_mapping:", *pairs, *notes]

    def _other_lines(self) -> list[str]:
        lines = []
        if self.constants:
            pairs = [f"  {yaml_text(k)}: {_json(v)}" for k, v in self.constants.items()]
            lines += ["constants:", *pairs]
        if self.lookup_keys:
            lines.append(f"lookup_keys: [{', '.join(map(yaml_text, self.lookup_keys))}]")
        if self.unknown_fields:
            lines.append(f"unknown_fields: {self.unknown_fields}")
        return lines


class StreamMismatchError(Exception):
    """A stream does not fit its object; nothing of it was written.

    Attributes:
        problems: Everything that is wrong.
        needs_columns_only: Whether columns that records carry undeclared would put all of it right.
        named_columns: The columns of settings that the stream does not declare.
    """

    def __init__(
        self,
        problems: Iterable[FieldProblem],
        *,
        stream: str,
        object_name: str,
        suggested: SuggestedSettings | None = None,
    ) -> None:
        self.problems = tuple(problems)
        self.needs_columns_only = all(problem.needs_column for problem in self.problems)
        self.named_columns = tuple(
            problem.name for problem in self.problems if problem.setting in _NAMING_COLUMNS
        )
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        listed = "".join(f"\n  - {problem}" for problem in self.problems)
        message = f"Stream {display(stream)} does not fit {one_line(object_name)}: {count}.{listed}"
        yaml = suggested.yaml(stream) if suggested else ""
        if yaml:
            message += f"\nIn meltano.yml, under the loader's config:\n{yaml}"
        super().__init__(message)


def yaml_text(text: str) -> str:
    """A text as a YAML scalar, quoted where YAML would read something else."""
    if _PLAIN_YAML.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return _json(text)


def _json(value: Json) -> str:
    text = simplejson.dumps(value, ensure_ascii=False, use_decimal=True, default=str)
    return printable_json(str(text))
