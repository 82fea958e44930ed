"""
What Exchange and IIS are: facts as data, and the look-ups that every stage may use.

The data lies beside this file: resources/*.toml and others.toml (Exchange nouns), versions/*.toml,
noise.toml, sections.toml and iis_*.json (IIS and ASP.NET), windows.toml and registry.toml. Nothing
is read before it is asked for.
"""

from __future__ import annotations

from changelog_tracker.catalogue.count import coverage, rows
from changelog_tracker.catalogue.defaults import factory_default
from changelog_tracker.catalogue.loader import noun_of_type, nouns, read_nouns
from changelog_tracker.catalogue.noise import comparable_key, noise_rule, noise_rules
from changelog_tracker.catalogue.owners import owner
from changelog_tracker.catalogue.page import markdown
from changelog_tracker.catalogue.reading import Ask, queries, read_by_default
from changelog_tracker.catalogue.sections import is_ordered, is_section_group, section
from changelog_tracker.catalogue.shapes import (
    KINDS,
    UNKNOWN,
    VERSIONS,
    Field,
    NoiseRule,
    Noun,
    SectionFacts,
    Unknown,
    Version,
)
from changelog_tracker.catalogue.versions import version_of_build, versions
from changelog_tracker.catalogue.windows import (
    WINDOWS_OWNER,
    WindowsField,
    WindowsKind,
    windows_kinds,
)

# Kept with each change: which facts, and which rules of noise and classes, made it.
CATALOGUE_VERSION = "1"
RULE_VERSION = "1"

__all__ = [
    "CATALOGUE_VERSION",
    "KINDS",
    "RULE_VERSION",
    "UNKNOWN",
    "VERSIONS",
    "WINDOWS_OWNER",
    "Ask",
    "Field",
    "NoiseRule",
    "Noun",
    "SectionFacts",
    "Unknown",
    "Version",
    "WindowsField",
    "WindowsKind",
    "comparable_key",
    "coverage",
    "factory_default",
    "is_ordered",
    "is_section_group",
    "markdown",
    "noise_rule",
    "noise_rules",
    "noun_of_type",
    "nouns",
    "owner",
    "queries",
    "read_by_default",
    "read_nouns",
    "rows",
    "section",
    "version_of_build",
    "versions",
    "windows_kinds",
]
