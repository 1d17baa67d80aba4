"""Error for a stream that does not fit its object; it lists every problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from target_gainsight.mapping.errors import counted, display
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.near_names import did_you_mean
from target_gainsight.mapping.planning.spec import MappingSpec

SettingName = Literal[
    "column",
    "constants",
    "fallback_keys",
    "field_mapping",
    "field_rules",
    "lookup_keys",
    "lookups",
    "required",
    "survey_columns",
]

_NAMING_COLUMNS = frozenset({"field_mapping", "lookups", "survey_columns"})


@dataclass(frozen=True)
class FieldProblem:
    """One thing that must be corrected before the stream can be loaded.

    Attributes:
        setting: The setting that has the name; `column` for a column of the stream, `required`
            for a field that nothing fills.
        name: The name as it is given.
        message: The problem, as a sentence.
        suggestions: Similar names, best first.
        needs_column: Whether a column that only the records have, not the SCHEMA, would solve it.
        is_missing_column: Whether the name is a column that the stream does not have.
    """

    setting: SettingName
    name: str
    message: str
    suggestions: tuple[str, ...] = ()
    needs_column: bool = False
    is_missing_column: bool = False

    def __str__(self) -> str:
        prefix = "" if self.setting == "column" else f"{self.setting}: "
        question = did_you_mean(self.name, self.suggestions)
        return one_line(f"{prefix}{self.message} {question}".rstrip())


class StreamMismatchError(Exception):
    """A stream does not fit its object; nothing of it was written.

    Args:
        problems: Everything that is wrong.
        stream: The stream's name.
        object_name: The object's name.
        spec: What the stream was checked by, to propose settings from; None for CSV files.
        proposal: Settings to paste into meltano.yml, with what precedes them; may be empty.

    Attributes:
        problems: Everything that is wrong.
        stream: The stream's name.
        spec: What the stream was checked by.
        needs_columns_only: Whether columns that only the records have would solve every problem.
        named_columns: The columns of settings that the stream does not declare.
    """

    def __init__(
        self,
        problems: Iterable[FieldProblem],
        *,
        stream: str,
        object_name: str,
        spec: MappingSpec | None = None,
        proposal: str = "",
    ) -> None:
        self.problems = tuple(problems)
        self.stream = stream
        self.spec = spec
        self._object_name = object_name
        self.needs_columns_only = all(problem.needs_column for problem in self.problems)
        self.named_columns = tuple(
            problem.name for problem in self.problems if problem.setting in _NAMING_COLUMNS
        )
        lines = _problem_lines(self.problems)
        count = counted(len(lines), "problem")
        listed = "".join(f"\n  - {line}" for line in lines)
        message = f"Stream {display(stream)} does not fit {one_line(object_name)}: {count}.{listed}"
        super().__init__(f"{message}\n{proposal}" if proposal else message)

    def with_proposal(self, proposal: str) -> StreamMismatchError:
        """Return the same error with settings that solve it."""
        return StreamMismatchError(
            self.problems,
            stream=self.stream,
            object_name=self._object_name,
            spec=self.spec,
            proposal=proposal,
        )


def _problem_lines(problems: Sequence[FieldProblem]) -> list[str]:
    """Return a line per problem, but one for all missing columns that resemble no other."""
    missing = [each for each in problems if each.is_missing_column and not each.suggestions]
    lines = [str(each) for each in problems if each not in missing]
    if missing:
        settings = ", ".join(dict.fromkeys(each.setting for each in missing))
        names = [each.name for each in missing]
        what, pronoun = ("column", "it is") if len(names) == 1 else ("columns", "they are")
        line = f"{settings}: The stream has no {what} {', '.join(names)}."
        hint = f"Check that {pronoun} selected in the tap (meltano select)."
        lines.insert(problems.index(missing[0]), one_line(f"{line} {hint}"))
    return lines
