"""Values that may cover a whole object are kept on disk and restored."""

from __future__ import annotations

import tracemalloc

from target_gainsight.loading.storage.temp_database import SpilledValues


def test_values_are_returned_in_insertion_order() -> None:
    values = SpilledValues()
    for number, key in enumerate([(-1,), (-2,), ("a", None), (-1,)]):
        values.add(key, {"number": number})
    assert [value["number"] for _, value in values.find([(-1,), ("a", None)])] == [0, 2, 3]
    assert [each["number"] for each in values.take(2)] == [0, 1]
    assert len(values) == 2


def test_value_takes_the_place_of_the_one_with_its_key() -> None:
    values = SpilledValues()
    values.add(("a",), 1)
    values.add(("b",), 2)
    values.put(("a",), 10)
    assert values.take(5) == [2, 10]


def test_shared_objects_are_restored_as_same_object() -> None:
    schema = {"properties": {}}
    values = SpilledValues()
    values.share(schema)
    values.add((), {"schema": schema})
    assert values.take(1)[0]["schema"] is schema


def test_memory_does_not_grow_with_stored_values() -> None:
    values = SpilledValues()
    tracemalloc.start()
    try:
        for number in range(2000):
            values.add((number,), f"{number:010000}")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(values) == 2000
    assert held < 1_000_000
