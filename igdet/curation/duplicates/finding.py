"""The search for near-duplicates, from one or two sets of images to a list of pairs in a folder, and what it needs."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from igdet.curation.duplicates.hamming import BYTES_A_IMAGE, Hits, pairs_within
from igdet.curation.duplicates.image_sets import DuplicatesError, ImageSet
from igdet.curation.duplicates.index import build, plan, search
from igdet.curation.duplicates.perceptual import MAX_SIDE, Hashes, hash_images
from igdet.curation.duplicates.result import REQUEST_NAME, Found, Request, pair_table, write_found
from igdet.curation.duplicates.scanning import Progress, Scan
from igdet.curation.duplicates.vectors import DIM, Describer, Vectors, describe_images, learn_whitening
from igdet.curation.pace import Step
from igdet.utils.errors import UserError


def describe_needs(count: int, channels: int) -> str:
    """Return the index that is chosen, and one line a figure.

    Args:
        count: training images, >= 1.
        channels: of the network's last feature map, >= 1.

    Raises:
        UserError: one of them is less than 1.
    """
    if min(count, channels) < 1:
        raise UserError(f"{count} images, {channels} channels: expected 1 or more of both")
    layout = plan(count, min(DIM, channels))
    sizes = {
        "PDQ: memory, within the set": count * BYTES_A_IMAGE,
        "R-MAC: disk, features": 2 * count * channels,  # float16
        "R-MAC: memory, vectors": layout.vectors_bytes,
        "R-MAC: memory, index": layout.index_bytes,
        "R-MAC: memory, its training": layout.training_bytes,
        "R-MAC: memory, at most": layout.memory_bytes,
    }
    title = f"{count:,} images, {channels:,} channels: faiss index {layout.factory}, {layout.dim} numbers each"
    return "\n".join([title, *(f"  {name:<28}{size / 1e9:8.2f} GB" for name, size in sizes.items())])


def find(
    request: Request, folder: Path, describer: Describer | None = None, say: Callable[[str], None] = print
) -> Found:
    """Find near-duplicates and write them.

    Args:
        request: what and how.
        folder: where the list goes, and features in the meantime: 2 bytes a number of each image.
        describer: the network, for R-MAC.
        say: is given lines of progress.

    Raises:
        DuplicatesError: a set cannot be opened, or too many of its images are bad.
    """
    training, evaluation = request.open_training(), request.open_queries() if request.evaluation else None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REQUEST_NAME).unlink(missing_ok=True)  # of an earlier search: the list is about to be another
    if request.method == "pdq":
        found = find_copies(request, training, evaluation, Progress(say))
    elif describer is None:
        raise DuplicatesError("R-MAC compares images by a network's features: name its weights")
    else:
        found = find_neighbours(request, training, evaluation, describer, folder, Progress(say))
    write_found(folder, request, found)
    return found


def find_copies(request: Request, training: ImageSet, evaluation: ImageSet | None, progress: Progress) -> Found:
    """Find images whose PDQ hashes differ little, mirrored and turned ones included."""
    scan = Scan(MAX_SIDE, request.processes, request.max_bad_share)
    hashes = partial(hash_images, scan=scan, progress=progress)
    indexed = hashes(training)
    queries = indexed if evaluation is None else hashes(evaluation)
    step = scan.pace.step()
    hits = pairs_within(queries.bits, indexed.bits[:, 0], request.max_distance)
    return _found(queries, indexed, hits, "pdq", step)


def find_neighbours(
    request: Request,
    training: ImageSet,
    evaluation: ImageSet | None,
    describer: Describer,
    scratch: Path,
    progress: Progress,
) -> Found:
    """Find the nearest images by whitened R-MAC features."""
    scan = Scan(request.side, request.processes, request.max_bad_share)
    with tempfile.TemporaryDirectory(prefix="features-", dir=scratch) as folder:
        vectors = partial(describe_images, describer=describer, side=request.side, scan=scan, progress=progress)
        indexed = vectors(training, path=Path(folder, "training.npy"))
        queries = indexed if evaluation is None else vectors(evaluation, path=Path(folder, "evaluation.npy"))
        step = scan.pace.step()
        whiten = learn_whitening(indexed.values)
        values = whiten(indexed.values)
        wanted = values if evaluation is None else whiten(queries.values)
    k = request.neighbours + (evaluation is None)  # within a set an image is its own nearest one
    hits = search(build(plan(*values.shape), values), values, wanted, k, request.min_score)
    return _found(queries, indexed, hits, "rmac", step)


def _found(queries: Hashes | Vectors, indexed: Hashes | Vectors, hits: Hits, method: str, step: Step) -> Found:
    if queries is indexed:
        return Found(pair_table(indexed.ids, indexed.ids, hits.within(), method), indexed.skipped, step)
    return Found(pair_table(queries.ids, indexed.ids, hits, method), indexed.skipped + queries.skipped, step)
