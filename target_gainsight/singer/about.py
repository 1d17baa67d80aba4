"""``--about`` for people: text and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.about import AboutInfo


def as_text(info: AboutInfo) -> str:
    """Lay out the target and its settings as text, a paragraph per setting."""
    capabilities = ", ".join(each.value for each in info.capabilities)
    lines = [
        f"{info.name} {info.version}: {info.description}",
        f"Singer SDK {info.sdk_version}; Python {', '.join(info.supported_python_versions or ())}",
        f"Capabilities: {capabilities}",
        "",
        "Settings:",
    ]
    for name, schema in info.settings["properties"].items():
        secret = " (secret)" if schema.get("secret") else ""
        lines += ["", f"  {name} - {schema['title']}{secret}", f"    {schema['description']}"]
        lines += [f"    Environment: {info.env_var_prefix}{name.upper()}"]
    return "\n".join(lines)


def as_markdown(info: AboutInfo) -> str:
    """Lay out the target and its settings as Markdown, a table row per setting."""
    pythons = ", ".join(info.supported_python_versions or ())
    return "\n".join(
        [
            f"# `{info.name}` {info.version}",
            "",
            info.description or "",
            "",
            f"Singer SDK {info.sdk_version}; Python {pythons}.",
            "",
            "| Setting | Title | Meaning |",
            "|---|---|---|",
            *(_row(name, schema) for name, schema in info.settings["properties"].items()),
        ]
    )


def _row(name: str, schema: Mapping[str, Any]) -> str:
    secret = " (secret)" if schema.get("secret") else ""
    meaning = schema["description"].replace("|", "\\|")
    return f"| `{name}`{secret} | {schema['title']} | {meaning} |"
