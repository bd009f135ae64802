"""Adding posts to an earlier curation: which one, and what of it is carried over."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from igdet.curation.manifest import LAYOUT, Manifest, read_manifest
from igdet.utils.files import expanded
from igdet.utils.messages import did_you_mean, shown
from igdet.utils.yaml import ConfigError

CARRIED, RENEWED = "carried", "renewed"
_NEEDED, _OPTIONAL = ("posts", "labels", "vocabulary"), ("duplicates", "shards")  # stages, in their order


@dataclass(frozen=True)
class AppendSettings:
    """The curation whose posts are kept, and which new ones are added to; it stays as it is.

    Attributes:
        output_dir: of that curation.
        vocabulary: "carried" keeps its labels with their ids, and its shards, behind which those of the new posts come;
            "renewed" selects the labels and makes all shards as if all posts were curated at once.
    """

    output_dir: str
    vocabulary: str = CARRIED

    def __post_init__(self) -> None:
        if self.vocabulary not in (CARRIED, RENEWED):
            raise ConfigError(
                f"APPEND_TO.VOCABULARY: {shown(self.vocabulary)} is neither {CARRIED} nor {RENEWED}"
                f"{did_you_mean(self.vocabulary, (CARRIED, RENEWED))}"
            )

    @property
    def folder(self) -> Path:
        """The output folder of that curation."""
        return expanded(self.output_dir)

    @property
    def carries_vocabulary(self) -> bool:
        """Whether labels keep their ids."""
        return self.vocabulary == CARRIED

    def manifest(self, stage: str) -> Manifest | None:
        """Read what that curation says of a stage; None when it has not done it, or not with the stages before it.

        Raises:
            ConfigError: files of the stage are gone, or another version of igdet has made them.
        """
        manifest = self._chain.get(stage)
        if manifest is None:
            return None
        where = f"APPEND_TO.OUTPUT_DIR: {self.folder}: its stage {stage}"
        if manifest.versions.get("layout") != LAYOUT:
            raise ConfigError(f"{where} is of another version of igdet; run the config of that curation again")
        if not manifest.is_current(manifest.fingerprint, self.folder):
            raise ConfigError(f"{where} has lost files; run the config of that curation again")
        return manifest

    @cached_property
    def _chain(self) -> dict[str, Manifest]:
        """Return stage -> manifest of those that build on each other: a run that was stopped leaves others too."""
        found: dict[str, Manifest] = {}
        results = {""}
        for stage in (*_NEEDED, *_OPTIONAL):
            manifest = read_manifest(self.folder, stage)
            if manifest and manifest.before in results:
                found[stage] = manifest
                results = {manifest.fingerprint, *(results if stage in _OPTIONAL else ())}
            elif stage in _NEEDED:
                break
        return found

    def needed(self, stage: str) -> Manifest:
        """Read what that curation says of a stage without which nothing can be added.

        Raises:
            ConfigError: as for `manifest`, and when it has not done the stage.
        """
        manifest = self.manifest(stage)
        if manifest is None:
            raise ConfigError(
                f"APPEND_TO.OUTPUT_DIR: {self.folder}: its stage {stage} is not done, or not since "
                "a stage before it was; run the config of that curation to its end first"
            )
        return manifest

    def facts_of_link(self, manifest: Manifest, output: Path, path: Path) -> dict | None:
        """Return size and hash of a file that is the earlier curation's own, by a link; None of any other file.

        Args:
            manifest: of the stage that has written the file there.
            output: the output folder of the curation that adds posts.
            path: a file in it.
        """
        name = str(path.relative_to(output))
        theirs = self.folder / name
        return manifest.files.get(name) if theirs.is_file() and theirs.samefile(path) else None
