"""The SDK's own cost: a target that does nothing with its records, as the SDK comes."""

from __future__ import annotations

from typing import Any, ClassVar

from singer_sdk import BatchSink, Target


class NothingSink(BatchSink):
    """Takes batches and drops them."""

    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing."""


class NothingTarget(Target):
    """Reads, validates and parses as every target of the SDK does."""

    name = "target-nothing"
    config_jsonschema: ClassVar[dict[str, Any]] = {"properties": {}}
    default_sink_class = NothingSink


if __name__ == "__main__":
    NothingTarget.cli()
