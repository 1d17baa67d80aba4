"""The settings: their JSON schema and their frozen, validated form.

The only reader of raw configuration. Imports nothing else of the package, so that every room
but ``api`` and ``sandbox`` may know the settings.
"""

from __future__ import annotations

from target_gainsight.settings.environment import read_environment
from target_gainsight.settings.model import (
    OBJECT_NAMES,
    AmbiguousPatternError,
    CompanyLinks,
    Connection,
    Credential,
    KeyCredential,
    Limits,
    Lookup,
    OAuthCredential,
    Rejection,
    Settings,
    StreamSettings,
    SyncMode,
)
from target_gainsight.settings.parsing import SettingsError, parse_settings, unknown_settings
from target_gainsight.settings.relative_dates import DUE_DATE
from target_gainsight.settings.schema import CONFIG_SCHEMA, CONFIG_SCHEMA_NAMES
from target_gainsight.settings.stream_maps import join_stream_names

__all__ = [
    "CONFIG_SCHEMA",
    "CONFIG_SCHEMA_NAMES",
    "DUE_DATE",
    "OBJECT_NAMES",
    "AmbiguousPatternError",
    "CompanyLinks",
    "Connection",
    "Credential",
    "KeyCredential",
    "Limits",
    "Lookup",
    "OAuthCredential",
    "Rejection",
    "Settings",
    "SettingsError",
    "StreamSettings",
    "SyncMode",
    "join_stream_names",
    "parse_settings",
    "read_environment",
    "unknown_settings",
]
