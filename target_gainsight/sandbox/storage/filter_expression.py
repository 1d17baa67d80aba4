"""The `expression` of a query: aliases joined with AND, OR and parentheses, AND binding tighter."""

import re
from collections.abc import Mapping

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|([()])|(\S))")
_DEEPEST = 100

Condition = tuple[str, list[object]]
"""An SQL condition and the values of its placeholders."""


class ExpressionError(ValueError):
    """The expression cannot be parsed; the message has the position."""


def joined_conditions(expression: str, conditions: Mapping[str, Condition]) -> Condition:
    """Return the expression as one SQL condition, with the values of its placeholders in order.

    Args:
        expression: such as `A AND (B OR C)`.
        conditions: the condition behind each alias.

    Raises:
        ExpressionError: A token out of place, or an alias without a condition.
    """
    parser = _Parser(expression, conditions)
    joined = parser.alternatives(0)
    parser.expect_end()
    return joined


class _Parser:
    def __init__(self, expression: str, conditions: Mapping[str, Condition]) -> None:
        self._conditions = conditions
        self._tokens = [
            name or bracket or _unreadable(other, expression)
            for name, bracket, other in _TOKEN.findall(expression)
        ]
        self._next = 0

    def alternatives(self, depth: int) -> Condition:
        parts = [self._all_of(depth)]
        while self._take("OR"):
            parts.append(self._all_of(depth))
        return _joined(" OR ", parts)

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            message = f"unexpected {self._tokens[self._next]!r} in the expression"
            raise ExpressionError(message)

    def _all_of(self, depth: int) -> Condition:
        parts = [self._operand(depth)]
        while self._take("AND"):
            parts.append(self._operand(depth))
        return _joined(" AND ", parts)

    def _operand(self, depth: int) -> Condition:
        if depth > _DEEPEST:
            message = "the expression is nested too deeply"
            raise ExpressionError(message)
        if self._take("("):
            inner = self.alternatives(depth + 1)
            if not self._take(")"):
                message = "a closing parenthesis is missing in the expression"
                raise ExpressionError(message)
            return inner
        return self._condition()

    def _condition(self) -> Condition:
        if self._next >= len(self._tokens):
            message = "the expression ends where an alias is wanted"
            raise ExpressionError(message)
        alias = self._tokens[self._next]
        if alias not in self._conditions:
            message = f"no condition has the alias {alias!r}"
            raise ExpressionError(message)
        self._next += 1
        return self._conditions[alias]

    def _take(self, token: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next].upper() == token
        self._next += found
        return found


def _joined(word: str, parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    values = [value for _, each in parts for value in each]
    return f"({word.join(sql for sql, _ in parts)})", values


def _unreadable(character: str, expression: str) -> str:
    message = f"unexpected {character!r} in the expression {expression!r}"
    raise ExpressionError(message)
