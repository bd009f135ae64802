"""What a curation is made of: the sections of its config."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from igdet.curation.duplicates.perceptual import BITS, MAX_DISTANCE
from igdet.curation.lexicon import Lexicon
from igdet.curation.shards import ShardSettings
from igdet.curation.vocabularies.recipes import Recipe
from igdet.formats.errors import TableError
from igdet.formats.posts.columns import PostColumns
from igdet.formats.posts.text_table import TextFormat
from igdet.utils.files import expanded
from igdet.utils.messages import brief, shown
from igdet.utils.old_keys import current_key
from igdet.utils.yaml import ConfigError, from_mapping, read_value, read_yaml


@dataclass(frozen=True)
class EngineSettings:
    """Where the dataframes are worked on.

    Attributes:
        runner: "native" for this machine, "ray" for a cluster.
        address: of a running Ray cluster; "" starts a local one.
        slice_mb: megabytes of input that are worked on at a time, and lost when the run is killed; > 0.
            More than 64 for each CPU gains nothing, less leaves CPUs idle.
    """

    runner: str = "native"
    address: str = ""
    slice_mb: float = 256.0

    def __post_init__(self):
        if not self.slice_mb > 0:
            raise ConfigError(f"ENGINE.SLICE_MB must be > 0, not {self.slice_mb}")


@dataclass(frozen=True)
class SourceSettings:
    """Where posts are read from; a dot in a column's name leads into a structure, as in "json.caption".

    Attributes:
        paths: files, folders or patterns; local, or URLs (s3://, gs://, https://).
        format: "parquet", "jsonl", "csv" or "webdataset"; "" goes by the suffix of the paths.
        id: column that names a post; "" lets the image name it.
        image: column with the image's path or URL. In WebDataset it is the tar's path and the key.
        root: WebDataset: the folder that paths of tars are given from; the same as SHARDS.IMAGES.
        tags: column with the hashtags, as a list or in one string.
        separator: what is between two hashtags of one string; "" for white space, commas, semicolons and bars.
        caption: column with a text whose #tags are taken, instead of `tags`.
        encoding: of CSV and JSON lines, such as "windows-1252"; "" is found out.
        delimiter: between the cells of CSV; "" is found out.
        quoting: of CSV: a quotation mark within a quoted cell is "doubled" or is behind a "backslash", or "none" is
            quoted; "" is found out.
        max_bad_share: share of the files, and of the rows, 0..1, that may be unusable.
    """

    paths: list[str]
    format: str = ""
    id: str = ""
    image: str = "image"
    root: str = ""
    tags: str = ""
    separator: str = ""
    caption: str = ""
    encoding: str = ""
    delimiter: str = ""
    quoting: str = ""
    max_bad_share: float = 0.05

    def __post_init__(self):
        if not self.paths:
            raise ConfigError("SOURCE.PATHS is empty; name the files, folders or patterns of the posts")
        if not 0 <= self.max_bad_share <= 1:
            raise ConfigError(f"SOURCE.MAX_BAD_SHARE must lie between 0 and 1, not {self.max_bad_share}")
        try:
            _ = self.text_format
        except TableError as error:
            raise ConfigError(f"SOURCE.{error}") from error

    @property
    def columns(self) -> PostColumns:
        """The columns of a post."""
        return PostColumns(self.image, self.tags or self.caption, self.id, bool(self.caption), self.separator)

    @property
    def text_format(self) -> TextFormat:
        """What is said of CSV and JSON lines."""
        return TextFormat(self.encoding, self.delimiter, self.quoting)


@dataclass(frozen=True)
class LexiconSettings:
    """How hashtags become labels; see `igdet.curation.labels.canonical.Canonicaliser`.

    Attributes:
        path: a table of words and labels; "" for the nouns of WordNet 3.0.
        ambiguous: what becomes of a word with several labels: a key of `canonical.AMBIGUOUS`.
        morphology: whether a plural counts as its singular.
    """

    path: str = ""
    ambiguous: str = "first_sense"
    morphology: bool = True

    def read(self) -> Lexicon:
        """Read the lexicon."""
        return Lexicon.read(self.path) if self.path else Lexicon.wordnet()


@dataclass(frozen=True)
class SamplingSettings:
    """What the statistics of resampling are computed for.

    Attributes:
        epoch_images: length of an epoch's list; 0 for twice the number of labelled posts.
    """

    epoch_images: int = 0

    def __post_init__(self):
        if self.epoch_images < 0:
            raise ConfigError(f"SAMPLING.EPOCH_IMAGES must be >= 0, not {self.epoch_images}")


@dataclass(frozen=True)
class DuplicateSettings:
    """Which near-duplicates are left out of the shards.

    Attributes:
        evaluation: evaluation images that training must not have seen: shards, a table or a folder of images;
            "" looks within the posts themselves.
        max_distance: bits of 256 that the PDQ hashes of a pair may differ in.
        judged: verdicts saved by the pages of tools/find_duplicates.py; without any, every pair is a duplicate.
    """

    evaluation: str = ""
    max_distance: int = MAX_DISTANCE
    judged: list[str] = field(default_factory=list)

    def __post_init__(self):
        if not 0 <= self.max_distance <= BITS:
            raise ConfigError(f"DUPLICATES.MAX_DISTANCE must be 0 to {BITS} bits, not {self.max_distance}")


@dataclass(frozen=True, kw_only=True)
class ShardingSettings(ShardSettings):
    """Which shards are made, and from what.

    Attributes:
        images: folder that the images of the posts are relative to.
        exclude: lists of posts to leave out, such as opt-outs, by the name that they are counted under.
        respect_noai: whether images are left out whose server forbids it with X-Robots-Tag: noai or noimageai.
        processes: that read images; 0 for one each CPU.
    """

    images: str
    exclude: dict[str, str] = field(default_factory=dict)
    respect_noai: bool = True
    processes: int = 0

    @property
    def root(self) -> Path:
        """The folder of the images."""
        return Path(self.images).expanduser()

    def count_processes(self) -> int:
        """Return the number of processes."""
        return self.processes or os.cpu_count() or 1


@dataclass(frozen=True)
class Curation:
    """A curation: from raw posts to a vocabulary and shards.

    Attributes:
        output_dir: folder that everything is written to.
        source: the posts.
        title: of the report.
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
    engine: EngineSettings = field(default_factory=EngineSettings)
    lexicon: LexiconSettings = field(default_factory=LexiconSettings)
    vocabulary: Recipe = field(default_factory=Recipe)
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    duplicates: DuplicateSettings | None = None
    shards: ShardingSettings | None = None

    @property
    def folder(self) -> Path:
        """The output folder."""
        return expanded(self.output_dir)


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
