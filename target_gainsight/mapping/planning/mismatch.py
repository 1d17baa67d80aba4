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
        columns: The columns that the setting names and the stream does not have.
    """

    setting: str
    name: str
    message: str
    suggestions: tuple[str, ...] = ()
    needs_column: bool = False
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        prefix = "" if self.setting == "column" else f"{self.setting}: "
        question = did_you_mean(self.name, self.suggestions)
        return one_line(f"{prefix}{self.message} {question}".rstrip())


class StreamMismatchError(Exception):
    """A stream does not fit its object; nothing of it was written.

    Attributes:
        spec: What the stream was checked by, to propose settings from; None for CSV files.
        proposal: Settings to paste into meltano.yml, with what precedes them; may be empty.
        needs_columns_only: Whether columns that only the records have would solve every problem.
        named_columns: Those columns, if settings name all of them.
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
        self.needs_columns_only = all(each.needs_column for each in self.problems)
        are_named = self.needs_columns_only and all(each.columns for each in self.problems)
        named = (column for each in self.problems for column in each.columns)
        self.named_columns = tuple(named) if are_named else ()
        count = counted(len(self.problems), "problem")
        title = f"Stream {display(stream)} does not fit {one_line(object_name)}: {count}."
        super().__init__("\n  - ".join([title, *map(str, self.problems)]))

    def __str__(self) -> str:
        return "\n".join(filter(None, (super().__str__(), self.proposal)))


def missing_columns(
    setting: str, named: Iterable[str], columns: Collection[str], spare: Collection[str]
) -> Iterator[FieldProblem]:
    """Find the columns that a setting names and the stream does not have.

    Args:
        columns: The stream's columns; none if they are unknown.
        spare: Those that nothing uses, so that one of them may be meant.
    """
    missing = [name for name in named if columns and name not in columns]
    similar = {name: suggest_names(name, columns) for name in missing}
    for name, near in similar.items():
        if near:
            needs_column = set(near).isdisjoint(spare)
            message = f"The stream has no column {name}."
            yield FieldProblem(setting, name, message, near, needs_column, (name,))
    others = tuple(name for name, near in similar.items() if not near)
    if others:
        what = "columns" if others[1:] else "column"
        message = f"The stream has no {what} {', '.join(others)}."
        hint = "Check the selection in the tap (meltano select)."
        yield FieldProblem(setting, "", f"{message} {hint}", needs_column=True, columns=others)
