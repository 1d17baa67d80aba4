"""The survey recipe copied into another project, as docs/recipes/nps.md describes it."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
import yaml
from meltano_project import CHECKOUT, MeltanoProject

pytestmark = pytest.mark.e2e

RECIPE = CHECKOUT / "examples" / "nps"
PAGE = (CHECKOUT / "docs" / "recipes" / "nps.md").read_text("utf-8")
QUICK = {"TARGET_GAINSIGHT_NPS_CALLS_PER_MINUTE": "6000"}  # the recipe's sandbox allows it
EMPTY = """\
default_environment: test
environments: [{name: test}]
send_anonymous_usage_stats: false
"""
COUNTS = {"company": 108, "person": 179, "CG_NPS_Response__gc": 240, "call_to_action": 68}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> MeltanoProject:
    """A project with the loader of the Hub, the copied folder, and the page's settings."""
    project = MeltanoProject(tmp_path_factory.mktemp("copied"))
    path = project.folder / "meltano.yml"
    path.write_text(EMPTY)
    definition = str(CHECKOUT / "hub" / "target-gainsight.yml")
    project.meltano(
        *("add", "--plugin-type", "loader", "target-gainsight"),
        *("--from-ref", definition, "--no-install"),
    )
    shutil.copytree(RECIPE, project.folder / "examples" / "nps")
    content = yaml.safe_load(path.read_text("utf-8"))
    [loader] = content["plugins"]["loaders"]
    loader["pip_url"] = f"-e '{CHECKOUT}[sandbox]'"
    including, sandbox = pasted_settings()
    loader |= sandbox["plugins"]["loaders"][0]
    path.write_text(yaml.safe_dump({**content, **including}, sort_keys=False), "utf-8")
    return project


def pasted_settings() -> list[dict[str, Any]]:
    """Return what the page adds to meltano.yml: the included file, then the sandbox."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    parsed = [yaml.safe_load(block) for block in blocks if "--8<--" not in block]
    return [block for block in parsed if "include_paths" in block or "plugins" in block]


def test_copied_recipe_loads_its_responses(project: MeltanoProject) -> None:
    checked = project.meltano("invoke", "target-gainsight-nps:check")
    assert "All checks passed." in checked
    project.meltano("run", "load-nps", env=QUICK)
    assert {name: len(project.rows(name)) for name in COUNTS} == COUNTS


def test_copied_recipe_sets_nothing_of_a_tenant() -> None:
    recipe = yaml.safe_load((RECIPE / "nps.meltano.yml").read_text("utf-8"))
    settings = {name for loader in recipe["plugins"]["loaders"] for name in loader["config"]}
    assert settings == {"streams", "stream_maps", "stream_map_config", "reject_values"}
