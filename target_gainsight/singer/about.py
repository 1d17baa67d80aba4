"""How ``--about`` shows the target and its settings to people: as text and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.about import AboutInfo


def as_text(info: AboutInfo) -> str:
    """Show everything as text.

    Args:
        info: What the SDK gathers.

    Returns:
        A paragraph per setting.
    """
    capabilities = ", ".join(each.value for each in info.capabilities)
    head = [
        f"{info.name} {info.version}: {info.description}",
        f"Singer SDK {info.sdk_version}; Python {', '.join(info.supported_python_versions or ())}",
        f"Capabilities: {capabilities}",
        "",
        "Settings:",
    ]
    for name, schema in info.settings["properties"].items():
        variable = info.env_var_prefix + name.upper()
        head += ["", f"  {name} - {_title(name, schema)}", f"    {_description(schema)}"]
        head += [f"    {fact}" for fact in (*_facts(schema), f"Environment: {variable}")]
    return "\n".join(head)


def as_markdown(info: AboutInfo) -> str:
    """Show everything as Markdown.

    Args:
        info: What the SDK gathers.

    Returns:
        A table row per setting.
    """
    rows = [
        f"| `{name}` | {_cell(_title(name, schema))} | {_cell('. '.join(_facts(schema)))} "
        f"| {_cell(_description(schema))} |"
        for name, schema in info.settings["properties"].items()
    ]
    head = [
        f"# `{info.name}` {info.version}",
        "",
        info.description or "",
        "",
        f"Singer SDK {info.sdk_version}; Python {', '.join(info.supported_python_versions or ())}.",
        "",
        "| Setting | Title | Facts | Meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows])


def _title(name: str, schema: Mapping[str, Any]) -> str:
    return str(schema.get("title") or name)


def _description(schema: Mapping[str, Any]) -> str:
    return " ".join(str(schema.get("description", "")).split())


def _facts(schema: Mapping[str, Any]) -> list[str]:
    """Say what is secret, what is the default and what may be chosen."""
    facts = ["Secret"] if schema.get("secret") else []
    if schema.get("default") is not None:
        default = schema["default"]
        facts.append(f"Default: {str(default).lower() if isinstance(default, bool) else default}")
    choices = [str(choice) for choice in schema.get("enum", ()) if choice is not None]
    if choices:
        facts.append(f"One of: {', '.join(choices)}")
    return facts


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
