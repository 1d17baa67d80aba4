"""The settings: their declarations, and their parsed form.

The only reader of raw configuration. Imports nothing else of the package, so that every layer but
``api`` and ``sandbox`` may know the settings. Start reading at ``table``, then ``parsing``.
"""

from __future__ import annotations

from target_gainsight.settings.dotted_names import join_stream_maps
from target_gainsight.settings.environment import read_environment, restore_dropped_names
from target_gainsight.settings.errors import SettingsError
from target_gainsight.settings.model import (
    OBJECT_NAMES,
    AmbiguousPatternError,
    CompanyLinks,
    Connection,
    Credential,
    FieldRule,
    KeyCredential,
    Limits,
    Lookup,
    NotifyOn,
    OAuthCredential,
    OnRejects,
    Rejection,
    Reporting,
    Settings,
    StreamSettings,
    SyncMode,
)
from target_gainsight.settings.parsing import (
    parse_reporting,
    parse_settings,
    read_sdk_settings,
    unknown_settings,
)
from target_gainsight.settings.relative_dates import DUE_DATE
from target_gainsight.settings.setting import Kind, Setting
from target_gainsight.settings.stream_maps import faker_expression
from target_gainsight.settings.table import (
    CONFIG_SCHEMA,
    ESSENTIAL,
    SETTINGS,
    declared_settings,
)

__all__ = [
    "CONFIG_SCHEMA",
    "DUE_DATE",
    "ESSENTIAL",
    "OBJECT_NAMES",
    "SETTINGS",
    "AmbiguousPatternError",
    "CompanyLinks",
    "Connection",
    "Credential",
    "FieldRule",
    "KeyCredential",
    "Kind",
    "Limits",
    "Lookup",
    "NotifyOn",
    "OAuthCredential",
    "OnRejects",
    "Rejection",
    "Reporting",
    "Setting",
    "Settings",
    "SettingsError",
    "StreamSettings",
    "SyncMode",
    "declared_settings",
    "faker_expression",
    "join_stream_maps",
    "parse_reporting",
    "parse_settings",
    "read_environment",
    "read_sdk_settings",
    "restore_dropped_names",
    "unknown_settings",
]
