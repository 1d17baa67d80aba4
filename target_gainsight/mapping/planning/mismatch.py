"""Error for a stream that does not fit its object; it lists every problem."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from target_gainsight.mapping.errors import counted, display
from target_gainsight.mapping.escaping import one_line
from target_gainsight.mapping.near_names import did_you_mean, suggest_names
from target_gainsight.mapping.planning.spec import MappingSpec


@dataclass(frozen=True)
class FieldProblem:
    """One thing that must be corrected before the stream can be loaded.

    Attributes:
        setting: The setting that has the name; `column` for a column of the stream, `required`
            for a field that nothing fills.
        message: The problem, as a sentence.
        suggestions: Similar names, best first.
        needs_column: Whether a column that only the records have, not the SCHEMA, would solve it.
        is_missing_column: Whether the name is a column that the stream does not have.
    """

    setting: str
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
        object_name: The object's name for the message.
        spec: What the stream was checked by, to propose settings from; None for CSV files.

    Attributes:
        problems: Everything that is wrong.
        needs_columns_only: Whether columns that only the records have would solve every problem.
        named_columns: The columns of settings that the stream does not declare.
        proposal: Settings to paste into meltano.yml, with what precedes them; may be empty.
    """

    def __init__(
        self,
        problems: Iterable[FieldProblem],
        *,
        stream: str,
        object_name: str,
        spec: MappingSpec | None = None,
    ) -> None:
        self.problems = tuple(problems)
        self.stream = stream
        self.spec = spec
        self.proposal = ""
        self.needs_columns_only = all(problem.needs_column for problem in self.problems)
        naming_columns = {"field_mapping", "lookups", "survey_columns"}
        self.named_columns = tuple(
            problem.name for problem in self.problems if problem.setting in naming_columns
        )
        lines = self._problem_lines()
        count = counted(len(lines), "problem")
        listed = "".join(f"\n  - {line}" for line in lines)
        title = f"Stream {display(stream)} does not fit {one_line(object_name)}: {count}."
        super().__init__(f"{title}{listed}")

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n{self.proposal}" if self.proposal else message

    def _problem_lines(self) -> list[str]:
        """Return a line per problem, but one for all missing columns that resemble no other."""
        missing = [
            each for each in self.problems if each.is_missing_column and not each.suggestions
        ]
        lines = [str(each) for each in self.problems if each not in missing]
        if missing:
            settings = ", ".join(dict.fromkeys(each.setting for each in missing))
            names = ", ".join(each.name for each in missing)
            what, pronoun = ("columns", "they are") if missing[1:] else ("column", "it is")
            line = f"{settings}: The stream has no {what} {names}."
            hint = f"Check that {pronoun} selected in the tap (meltano select)."
            lines.insert(self.problems.index(missing[0]), one_line(f"{line} {hint}"))
        return lines


def missing_columns(
    setting: str, named: Iterable[str], columns: Collection[str], spare: Collection[str]
) -> Iterator[FieldProblem]:
    """Find the columns that a setting names and the stream does not have.

    Args:
        columns: The stream's columns; none if they are unknown.
        spare: Those that nothing uses, so that one of them may be meant.
    """
    for name in named if columns else ():
        if name not in columns:
            message = f"The stream has no column {name}."
            near = suggest_names(name, columns)
            needs_column = set(near).isdisjoint(spare)
            yield FieldProblem(setting, name, message, near, needs_column, is_missing_column=True)
