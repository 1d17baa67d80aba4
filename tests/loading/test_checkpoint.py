"""A written state is never ahead of settled records, and the last one is always written."""

from __future__ import annotations

import tracemalloc
from random import Random
from typing import Any

import pytest
from fake_clock import FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st

from target_gainsight.loading.settling.checkpoint import Checkpoint

SEEDS = st.integers(0, 2**32)


def new_checkpoint() -> Checkpoint:
    emitted: list[Any] = []
    return Checkpoint(emitted.append, FakeClock().now, 0.0)


class Model:
    """Plays sources, settlements, states and time at random, and records what is true."""

    def __init__(self, chance: Random, *, interval: float, max_waiting: int = 1000) -> None:
        self.chance = chance
        self.clock = FakeClock()
        self.emitted: list[tuple[int, float]] = []
        self.checkpoint = Checkpoint(self.emit, self.clock.now, interval, max_waiting)
        self.open: list[int] = []
        self.unsettled_before: list[set[int]] = []

    def emit(self, state: Any) -> None:
        number = state["number"]
        ahead = self.unsettled_before[number].intersection(self.open)
        assert not ahead
        assert not self.emitted or number > self.emitted[-1][0]
        self.emitted.append((number, self.clock.now()))

    def step(self) -> None:
        roll = self.chance.random()
        if roll < 0.45:
            self.open.append(self.checkpoint.register())
        elif roll < 0.75 and self.open:
            self.settle_one()
        elif roll < 0.95:
            self.take_state()
        else:
            self.clock.advance(self.chance.random() * 2)

    def settle_one(self) -> None:
        place = self.open.pop(self.chance.randrange(len(self.open)))
        self.checkpoint.settle(place)
        if self.chance.random() < 0.7:
            self.checkpoint.advance()

    def take_state(self) -> None:
        self.unsettled_before.append(set(self.open))
        self.checkpoint.add({"number": len(self.unsettled_before) - 1})

    def newest_covered(self) -> int | None:
        held = set(self.open)
        covered = [n for n, before in enumerate(self.unsettled_before) if not before & held]
        return covered[-1] if covered else None


@given(SEEDS, st.integers(0, 300), st.sampled_from([0.0, 1.0]))
@settings(max_examples=300)
def test_newest_covered_state_is_written(seed: int, steps: int, interval: float) -> None:
    model = Model(Random(seed), interval=interval)
    for _ in range(steps):
        model.step()
    model.checkpoint.advance(final=True)
    last = model.emitted[-1][0] if model.emitted else None
    assert last == model.newest_covered()


@pytest.mark.parametrize(("interval", "max_waiting"), [(1.0, 1000), (0.0, 8)])
@given(seed=SEEDS)
@settings(max_examples=50)
def test_last_state_is_written_once_all_is_settled(
    seed: int, interval: float, max_waiting: int
) -> None:
    model = Model(Random(seed), interval=interval, max_waiting=max_waiting)
    for _ in range(300):
        model.step()
    model.take_state()
    while model.open:
        model.settle_one()
    model.checkpoint.advance(final=True)
    assert model.emitted[-1][0] == len(model.unsettled_before) - 1


def test_thinning_keeps_intermediate_states() -> None:
    emitted: list[Any] = []
    checkpoint = Checkpoint(emitted.append, FakeClock().now, 0.0, max_waiting=8)
    for number in range(1, 41):
        checkpoint.register()
        checkpoint.add({"n": number})
    for position in range(1, 41):
        checkpoint.settle(position)
        checkpoint.advance()
    numbers = [state["n"] for state in emitted]
    assert numbers == sorted(numbers)
    assert 4 <= len(numbers) <= 9
    assert numbers[-1] == 40


def test_states_keep_interval_except_last() -> None:
    clock = FakeClock()
    emitted: list[Any] = []
    checkpoint = Checkpoint(emitted.append, clock.now, 1.0)
    for number in range(30):
        checkpoint.add({"n": number})
        clock.advance(0.125)
    assert [state["n"] for state in emitted] == [0, 8, 16, 24]
    checkpoint.advance(final=True)
    assert emitted[-1] == {"n": 29}


def test_state_held_by_interval_is_written_by_time_alone() -> None:
    clock = FakeClock()
    emitted: list[Any] = []
    checkpoint = Checkpoint(emitted.append, clock.now, 1.0)
    checkpoint.add({"n": 0})
    checkpoint.add({"n": 1})
    clock.advance(1.0)
    checkpoint.advance()
    assert emitted == [{"n": 0}, {"n": 1}]


@given(st.lists(st.integers(1, 44), max_size=80))
def test_positions_settle_in_any_order(positions: list[int]) -> None:
    checkpoint, settled = new_checkpoint(), set[int]()
    for _ in range(40):
        checkpoint.register()
    for position in positions:
        if position not in settled and position <= 40:
            checkpoint.settle(position)
            settled.add(position)
        else:
            with pytest.raises(ValueError, match="cannot be settled"):
                checkpoint.settle(position)
        gap = next(each for each in range(1, 42) if each not in settled)
        assert checkpoint.settled == gap - 1


def test_open_record_does_not_grow_memory() -> None:
    checkpoint = new_checkpoint()
    tracemalloc.start()
    try:
        for _ in range(100_000):
            checkpoint.register()
        for position in range(2, 100_001):
            checkpoint.settle(position)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100_000  # bytes; each gap would take at least 8
    assert checkpoint.settled == 0
    checkpoint.settle(1)
    assert checkpoint.settled == 100_000
