"""Faults put into a tenant on purpose: what goes wrong, on which calls, how often.

Decides only; app.py injects the faults. All off by default.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock

PASS = "pass"  # noqa: S105 - no password
"""In a script: this call goes through untouched."""

REFUSING_KINDS = frozenset(
    {
        "throttle_429",
        "throttle_200",
        "server_error",
        "bad_gateway",
        "unavailable",
        "reset_before_commit",
    }
)
"""Kinds whose call has no effect, unless the fault is `committed`."""

COMMITTING_KINDS = frozenset(
    {
        "reset_after_commit",
        "truncated_body",
        "cut_json",
        "empty_body",
        "html_body",
        "wrong_shape",
        "late_commit",
        "latency",
    }
)
"""Kinds whose call takes effect; only its answer is late, lost or broken."""

KINDS = REFUSING_KINDS | COMMITTING_KINDS


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong on some calls.

    Attributes:
        kind: one of `KINDS`. `late_commit` commits after `seconds`, `latency` answers after them.
        method: HTTP method, `*` for any.
        path: glob over the path without its query, compared without case; `*` crosses slashes.
        probability: of each matching call, 0 to 1.
        after: matching calls let through before the first.
        times: calls hit at most; None for no end.
        seconds: for `late_commit` and `latency`, a number or a (from, to) range drawn evenly.
        retry_after: seconds for the `Retry-After` header of throttling kinds and `unavailable`.
        code: the error code of throttling kinds.
        committed: for refusing kinds, that the call takes effect before it is refused.
    """

    kind: str
    method: str = "*"
    path: str = "*"
    probability: float = 1.0
    after: int = 0
    times: int | None = None
    seconds: float | tuple[float, float] = 0.0
    retry_after: float | None = None
    code: str = "GU_2400"
    committed: bool = False

    def __post_init__(self) -> None:
        """Refuse an unknown kind at once rather than never firing it."""
        if self.kind not in KINDS | {PASS}:
            message = f"unknown fault kind {self.kind!r}; known: {', '.join(sorted(KINDS))}"
            raise ValueError(message)

    def matches(self, method: str, path: str) -> bool:
        """Return whether the fault applies to calls of this method and path."""
        return self.method in {"*", method} and fnmatchcase(path.lower(), self.path.lower())

    @property
    def takes_effect(self) -> bool:
        """True if the tenant executes the call."""
        return self.committed or self.kind not in REFUSING_KINDS


@dataclass(frozen=True)
class ServerRule:
    """A rule of the server that metadata does not show: refuses a value of a field.

    `where` limits it to records with further values.
    """

    object_name: str
    field: str
    value: object
    code: str = "GSOBJ_1008"
    message: str = "Value refused by a rule of the tenant"
    where: tuple[tuple[str, object], ...] = ()

    def refuses(self, object_name: str, record: Mapping[str, object]) -> bool:
        """Return whether the rule refuses a record of an object."""
        return (
            self.object_name.lower() == object_name.lower()
            and self.field in record
            and record[self.field] == self.value
            and all(record.get(name) == value for name, value in self.where)
        )


@dataclass(frozen=True)
class FaultDecision:
    """The faults of one call: at most one, a pause before the commit, one before the response."""

    fault: Fault | None = None
    before_commit: float = 0.0
    before_answer: float = 0.0


@dataclass
class _Planned:
    fault: Fault
    seen: int = 0
    fired: int = 0

    def fires(self, method: str, path: str, chance: random.Random) -> bool:
        fault = self.fault
        if not fault.matches(method, path):
            return False
        self.seen += 1
        if self.seen <= fault.after or (fault.times is not None and self.fired >= fault.times):
            return False
        if fault.probability < 1 and chance.random() >= fault.probability:
            return False
        self.fired += 1
        return True


@dataclass
class _Script:
    method: str
    path: str
    steps: list[Fault] = field(default_factory=list)


class FaultPlan:
    """The faults of a tenant, changeable while it runs, from any thread.

    Attributes:
        rules: hidden server rules, applied to every write.
        fired: the number of faults of each kind so far.
    """

    def __init__(
        self, faults: Iterable[Fault] = (), rules: Iterable[ServerRule] = (), seed: int | None = 0
    ) -> None:
        self.rules: list[ServerRule] = list(rules)
        self.fired: dict[str, int] = {}
        self._planned = [_Planned(each) for each in faults]
        self._scripts: list[_Script] = []
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._lock = Lock()

    def seed(self, number: int) -> None:
        """Restart the random numbers of probabilities and ranges."""
        with self._lock:
            self._chance.seed(number)

    def add(self, *faults: Fault) -> None:
        """Add faults; the first that fires on a call wins."""
        with self._lock:
            self._planned.extend(_Planned(each) for each in faults)

    def script(self, steps: Sequence[Fault | str], *, method: str = "*", path: str = "*") -> None:
        """Inject these faults into the next calls of this method and path, one each, in order.

        A step is a fault or its kind; `"pass"` injects none. A script takes precedence over the
        faults with a probability.
        """
        made = [Fault(each) if isinstance(each, str) else each for each in steps]
        with self._lock:
            self._scripts.append(_Script(method, path, made))

    def clear(self) -> None:
        """Remove every fault, script and rule."""
        with self._lock:
            self._planned.clear()
            self._scripts.clear()
            self.rules.clear()

    def pick(self, method: str, path: str) -> FaultDecision:
        """Decide the faults of the next call of this method and path."""
        if not self._planned and not self._scripts:
            return FaultDecision()
        with self._lock:
            return self._pick(method, path)

    def _pick(self, method: str, path: str) -> FaultDecision:
        fault: Fault | None = self._next_step(method, path)
        before_commit = before_answer = 0.0
        for planned in self._planned:
            kind = planned.fault.kind
            pause = kind in {"latency", "late_commit"}
            if (fault is not None and not pause) or not planned.fires(method, path, self._chance):
                continue
            if not pause:
                fault = planned.fault
                continue
            self._count(kind)
            if kind == "latency":
                before_answer += self._seconds(planned.fault)
            else:
                before_commit += self._seconds(planned.fault)
        return self._decide(fault, before_commit, before_answer)

    def _decide(
        self, fault: Fault | None, before_commit: float, before_answer: float
    ) -> FaultDecision:
        if fault is None or fault.kind == PASS:
            return FaultDecision(None, before_commit, before_answer)
        self._count(fault.kind)
        if fault.kind == "latency":
            return FaultDecision(None, before_commit, before_answer + self._seconds(fault))
        if fault.kind == "late_commit":
            return FaultDecision(None, before_commit + self._seconds(fault), before_answer)
        return FaultDecision(fault, before_commit, before_answer)

    def _next_step(self, method: str, path: str) -> Fault | None:
        for script in self._scripts:
            probe = Fault(PASS, method=script.method, path=script.path)
            if script.steps and probe.matches(method, path):
                return script.steps.pop(0)
        return None

    def _seconds(self, fault: Fault) -> float:
        if isinstance(fault.seconds, tuple):
            return self._chance.uniform(*fault.seconds)
        return float(fault.seconds)

    def _count(self, kind: str) -> None:
        self.fired[kind] = self.fired.get(kind, 0) + 1
