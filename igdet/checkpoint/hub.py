"""Weights on a hub, hf://owner/name[@revision]/path/to/file: fetched by huggingface_hub into its own cache."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from urllib.parse import quote, unquote

from igdet.checkpoint.download import Digest, is_offline
from igdet.checkpoint.weights_index import INDEX, is_index, shards_of
from igdet.formats.errors import WeightsError
from igdet.utils.messages import brief

logger = logging.getLogger(__name__)

PREFIXES = ("hf://", "hf-hub:")  # the second as timm writes it
USUAL_FILES = ("model.safetensors", INDEX, "pytorch_model.bin")  # of a name without a file the first that is there
_NAME = re.compile(r"(?:hf://|hf-hub:)(?P<repo>[^/@]+/[^/@]+)(?:@(?P<revision>[^/@]+))?(?:/(?P<file>.*[^/]))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATIENCE = 10  # seconds for a question of which nothing depends
_DEFAULT = "main"  # the branch that every repository has
_LOGIN = "log in with `hf auth login`, or set HF_TOKEN"

# Name of huggingface_hub's error, or of one that it derives from -> what is wrong and how to fix it.
_REASONS = {
    "GatedRepoError": f"its owner decides who gets it: ask at {{page}}, then {_LOGIN}",
    "RepositoryNotFoundError": f"{{endpoint}} has no model {{repo}}, or it is private: correct the name, or {_LOGIN}",
    "RevisionNotFoundError": "{repo} has no branch, tag or commit {revision!r}: {page}/tree/main lists them",
    "EntryNotFoundError": "{repo} has no file {file} in revision {revision!r}: {page}/tree/{revision} lists them",
    "LocalEntryNotFoundError": (
        "it is not in the cache, {cache}, and {endpoint} does not answer or may not be asked ({error}). Check the "
        "network, unset HF_HUB_OFFLINE and IGDET_OFFLINE, or fill the cache elsewhere: hf download {repo} {file} "
        "--revision {revision}"
    ),
    "Exception": "{error}. Check the name, the network, HF_ENDPOINT ({endpoint}) and the room in {cache}",
}


class MissingWeights(WeightsError):
    """A repository without a file of this name, as far as this machine can tell."""


class HubFile(NamedTuple):
    """A file on a hub.

    Attributes:
        repo: owner/name.
        revision: a branch, a tag or a commit.
        file: its path in the repository; "": the first of `USUAL_FILES` that is there.
    """

    repo: str
    revision: str
    file: str

    def __str__(self) -> str:
        return f"hf://{self.repo}@{quote(self.revision, safe='')}/{self.file}"

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which cannot move."""
        return _COMMIT.fullmatch(self.revision) is not None

    def is_version_of(self, other: "HubFile") -> bool:
        """Whether both are the same file but for the revision."""
        return self.repo == other.repo and (self.file == other.file or "" in (self.file, other.file))


def is_on_hub(path: str) -> bool:
    """Whether a MODEL.WEIGHTS names a file on a hub."""
    return path.startswith(PREFIXES)


def parse(path: str) -> HubFile:
    """Take a name apart; nothing is asked of the hub.

    Args:
        path: hf://owner/name[@revision]/path/to/file, or hf-hub:owner/name[@revision]; a slash in a revision is %2F.

    Raises:
        WeightsError: it is none, or huggingface_hub is missing.
    """
    found = _NAME.fullmatch(path)
    if found is None:
        raise WeightsError(f"{path}: expected hf://owner/name[@revision]/path/to/file, or hf-hub:owner/name[@revision]")
    _client(path)
    return HubFile(found["repo"], unquote(found["revision"] or _DEFAULT), found["file"] or "")


def fetch_from_hub(path: str) -> tuple[HubFile, Path]:
    """Return a file with the commit that its revision is now, and where it is on this machine.

    The first call downloads it, with the shards of an index; where the hub does not answer, the version in the cache is
    taken. Every call checks the files' hashes, as far as the hub tells them, and logs where the licence is.

    Args:
        path: as `parse` takes it.

    Returns:
        The file, its revision a commit, and its place in huggingface_hub's cache.

    Raises:
        WeightsError: it is not there, may not be had, or is damaged; the message says what to do.
    """
    wanted = parse(path)
    file, local = _first_there(path, wanted)
    found = HubFile(wanted.repo, local.parents[len(Path(file).parts) - 1].name, file)  # .../snapshots/COMMIT/FILE
    for shard in shards_of(local) if is_index(local) else ():
        _download(path, found._replace(file=str(Path(file).with_name(shard.name))))
    logger.info(f"{found}: its model card, {_page(found)}, tells the licence")
    return found, local


def commit_of(path: str) -> str:
    """Return the commit that a name's revision is now; nothing is downloaded.

    Raises:
        WeightsError: the hub may not be asked, does not answer, or has no such revision.
    """
    wanted = parse(path)
    if is_offline():
        raise WeightsError(f"{path}: IGDET_OFFLINE forbids asking the hub")
    with _explained(path, wanted):
        api = _client(path).HfApi()
        return str(api.model_info(wanted.repo, revision=wanted.revision, timeout=_PATIENCE).sha)


def _first_there(path: str, wanted: HubFile) -> tuple[str, Path]:
    """The file's path in the repository and on this machine; of a name without a file, of the first usual one."""
    if wanted.file:
        return wanted.file, _download(path, wanted)
    for file in USUAL_FILES:
        with suppress(MissingWeights):
            return file, _download(path, wanted._replace(file=file))
    raise WeightsError(
        f"{path}: {wanted.repo} has none of {', '.join(USUAL_FILES)}, or cannot be asked: name the file, "
        f"hf://{wanted.repo}/FILE; {_page(wanted)}/tree/{wanted.revision} lists them"
    )


def _download(path: str, wanted: HubFile) -> Path:
    with _explained(path, wanted):
        local = _client(path).hf_hub_download(
            wanted.repo, wanted.file, revision=wanted.revision, local_files_only=is_offline()
        )
    blob = Path(local).resolve()
    if _SHA256.fullmatch(blob.name):  # large files are kept under their hash
        Digest("sha256", blob.name).check(blob, f"Remove it to download {path} again")
    return Path(local)


def _client(path: str) -> ModuleType:
    try:
        import huggingface_hub.constants
    except ImportError as error:
        raise WeightsError(f"{path} needs huggingface_hub: pip install 'igdet[hub]'") from error
    return huggingface_hub


@contextmanager
def _explained(path: str, wanted: HubFile) -> Iterator[None]:
    """Say what a failure of huggingface_hub means for a file, and what to do."""
    try:
        yield
    except Exception as error:  # its own, the HTTP library's, the disk's
        kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _REASONS)
        constants = _client(path).constants
        reason = _REASONS[kind].format(
            **wanted._asdict(),
            page=_page(wanted),
            endpoint=constants.ENDPOINT,
            cache=constants.HF_HUB_CACHE,
            error=brief(error.__cause__ or error),
        )
        raise (MissingWeights if "EntryNotFound" in kind else WeightsError)(f"{path}: {reason}") from error


def _page(file: HubFile) -> str:
    """Where people read about a repository."""
    return f"{_client(str(file)).constants.ENDPOINT}/{file.repo}"
