"""The config of a curation: its sections, each described where it takes effect, put together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TypeVar

from igdet.curation.appending import AppendSettings
from igdet.curation.duplicates.exclusion import DuplicateSettings
from igdet.curation.engine import EngineSettings
from igdet.curation.labels.labelling import LexiconSettings
from igdet.curation.reading import SourceSettings
from igdet.curation.shards import ShardingSettings
from igdet.curation.vocabularies.recipes import Recipe
from igdet.curation.vocabularies.resampling import SamplingSettings
from igdet.utils.files import expanded
from igdet.utils.messages import brief, shown
from igdet.utils.old_keys import current_key
from igdet.utils.yaml import ConfigError, from_mapping, read_value, read_yaml

Section = TypeVar("Section")


@dataclass(frozen=True)
class Curation:
    """A curation: from raw posts to a vocabulary and shards.

    Attributes:
        output_dir: folder that everything is written to.
        source: the posts.
        title: of the report.
        append_to: None begins anew.
        engine: where the work is done.
        lexicon: from hashtags to labels.
        vocabulary: from labels to the label space.
        sampling: the statistics for resampling.
        duplicates: None does not look for any.
        shards: None makes none.
    """

    output_dir: str
    source: SourceSettings
    title: str = "Curation"
    append_to: AppendSettings | None = None
    engine: EngineSettings = field(default_factory=EngineSettings)
    lexicon: LexiconSettings = field(default_factory=LexiconSettings)
    vocabulary: Recipe = field(default_factory=Recipe)
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    duplicates: DuplicateSettings | None = None
    shards: ShardingSettings | None = None

    def __post_init__(self) -> None:
        if self.append_to and self.folder.resolve().is_relative_to(self.append_to.folder.resolve()):
            raise ConfigError(
                f"OUTPUT_DIR {self.folder} is APPEND_TO.OUTPUT_DIR, {self.append_to.folder}, or lies in it; name "
                "another: the earlier curation stays as it is"
            )

    @property
    def folder(self) -> Path:
        """The output folder."""
        return expanded(self.output_dir)

    @property
    def carried_from(self) -> AppendSettings | None:
        """The earlier curation, where labels, their ids and shards stay as they are there; else None."""
        return self.append_to if self.append_to and self.append_to.carries_vocabulary else None


def asked_for(section: Section | None, name: str) -> Section:
    """Return a section that a config may leave out, for a stage that is done only where it does not.

    Raises:
        ConfigError: it is left out.
    """
    if section is None:
        raise ConfigError(f"{name} is missing, which this stage needs")
    return section


def read_curation(path: str | Path, overrides: Sequence[str] = ()) -> Curation:
    """Read the config of a curation.

    Args:
        path: the YAML file; its keys are the fields in upper case.
        overrides: KEY VALUE KEY VALUE ...; a dot in a key leads into a section, values are YAML.

    Raises:
        ConfigError: a key is unknown, missing, written twice or of the wrong type.
    """
    if len(overrides) % 2:
        raise ConfigError(f"overrides come in pairs KEY VALUE, but {shown(overrides[-1])} has no value")
    node = read_yaml(path)
    for key, value in zip(overrides[::2], overrides[1::2], strict=True):
        _override(node, key, value)
    return from_mapping(Curation, node, str(path))


def _override(node: dict, key: str, value: str) -> None:
    *sections, name = current_key(key, "command line").split(".")
    try:
        section = reduce(lambda above, below: above.setdefault(below, {}), sections, node)
        section[name] = read_value(value, f"override {brief(key)}")
    except (AttributeError, TypeError) as error:
        raise ConfigError(f"override {brief(key)}: {brief('.'.join(sections))} is no section of the config") from error
