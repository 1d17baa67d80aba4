"""The command `target-gainsight`, also as `python -m target_gainsight`."""

from target_gainsight.singer.output import output_errors_reported
from target_gainsight.target import TargetGainsight


def main() -> None:
    """Run the target; output that cannot be written ends it with one line."""
    with output_errors_reported():
        TargetGainsight.cli()


if __name__ == "__main__":
    main()
