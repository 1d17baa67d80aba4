"""The plugin definition for Meltano Hub and for `meltano add --from-ref`."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from documented.declared import Target
from documented.meltano import commands, definition
from target_gainsight.settings.setting import Setting

CREDENTIALS = (("access_key",), ("client_id", "client_secret"))

KEYWORDS = ["api", "meltano_sdk"]

PREAMBLE = """\
Connecting to a tenant takes `domain` and one credential. `domain: sandbox` loads into an embedded \
sandbox that enforces the API's rules and needs no account.

`streams` routes streams to objects: its keys are stream names or globs, its values the settings \
of those streams. The exact name wins, then the longest pattern.

```yaml
config:
  domain: mycompany.gainsightcloud.com
  streams:
    accounts:
      object_type: company
      lookup_keys: [SfdcAccountId]
      field_mapping: {salesforce_id: SfdcAccountId, name: Name, arr: ARR}
    contacts:
      object_type: person
      field_mapping: {email: Email, first_name: FirstName, last_name: LastName}
```

In an environment variable, an object is written as JSON.
"""

NEXT_STEPS = """\
- `meltano invoke target-gainsight:probe` shows whether the tenant accepts the credential and how \
its API behaves; it reads only.
- `meltano invoke target-gainsight:describe company` shows the fields of an object in your tenant.
- `meltano invoke target-gainsight:check` checks the connection, credential, objects, fields and \
lookup keys, and writes nothing.
- `TARGET_GAINSIGHT_DRY_RUN=true meltano run tap-… target-gainsight` shows what a run would write \
and cost; it writes nothing and emits no state.
- `meltano run tap-… target-gainsight` loads.
"""

USAGE = """\
### Rejected records

A record that could not be written is a reject. It is logged with its stream, key, field and \
reason, and kept in a Singer file in `rejects_path`. Rejects fail a run only if every \
record was rejected, if there are more than `max_reject_percent` or `max_rejects` allow, or, with \
`on_rejects: fail`, if there is any.

- `meltano invoke target-gainsight:rejects list` lists open rejects by reason, with what to do.
- `meltano invoke target-gainsight:rejects show latest` shows each record.
- `meltano invoke target-gainsight:rejects replay latest` sends them again.

`meltano invoke target-gainsight:report latest` writes the report of a run as an HTML page.

### The sandbox

With `domain: sandbox`, `meltano invoke target-gainsight:sandbox show Company` shows the rows.
"""


def hub_definition(target: Target) -> str:
    """Return the definition as the Hub requires it: sorted keys and settings, explicit kinds.

    Args:
        target: The declared target.

    Returns:
        YAML, ending in a newline.
    """
    source = target.urls["Source"]
    whole = {
        "capabilities": sorted(target.capabilities),
        "commands": commands(),
        "description": target.summary,
        "docs": target.urls["Documentation"],
        "domain_url": "https://www.gainsight.com/",
        "executable": target.name,
        "keywords": KEYWORDS,
        "label": "Gainsight CS",
        "logo_url": "/assets/logos/loaders/gainsight.svg",
        "maintenance_status": "beta",
        "name": target.name,
        "namespace": target.name.replace("-", "_"),
        "next_steps": NEXT_STEPS,
        "pip_url": f"{target.name}[sandbox]@git+{source}",
        "quality": "silver",
        "repo": source,
        "settings": [
            definition(each) for each in sorted(target.top_settings, key=lambda s: s.name)
        ],
        "settings_group_validation": credential_groups(target.top_settings),
        "settings_preamble": PREAMBLE,
        "supported_python_versions": list(target.python_versions),
        "usage": USAGE,
        "variant": source.split("/")[-2],
    }
    return yaml.dump(whole, Dumper=_Readable, sort_keys=True, allow_unicode=True, width=100)


def credential_groups(settings: Iterable[Setting]) -> list[list[str]]:
    """Return the groups of settings that are sufficient to connect, one per kind of credential.

    Args:
        settings: The declared settings.

    Returns:
        Sorted groups of setting names.
    """
    declared = {setting.name for setting in settings}
    return [sorted(["domain", *names]) for names in CREDENTIALS if declared.issuperset(names)]


class _Readable(yaml.SafeDumper):
    """Dumps multi-line text as a literal block."""


def _as_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _as_text)
