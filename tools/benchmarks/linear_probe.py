"""A path of logistic regressions on cached features: igdet's beside scikit-learn's fits of the same objectives.

Run as:  OMP_NUM_THREADS=2 python tools/benchmarks/linear_probe.py
"""

import argparse
import time

import numpy as np
import torch
from record import report, table
from sklearn.linear_model import LogisticRegression

from igdet.evaluation.probing.linear import PrincipalBasis
from igdet.evaluation.probing.logistic import fit_path


def pooled_features(images: int, channels: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features like a trunk's: averages of rectified activations, whose variances fall off as those of networks do.

    Args:
        images, channels, classes: N, D, L.

    Returns:
        float32 (N, D), >= 0; int64 (N,), equally many of each class.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(images) % classes)
    spectrum = np.arange(1, channels + 1, dtype=np.float32) ** -0.5
    centres = rng.standard_normal((classes, channels), np.float32)[labels]
    hidden = (0.5 * centres + rng.standard_normal((images, channels), np.float32)) * spectrum
    mix, _ = np.linalg.qr(rng.standard_normal((channels, channels)).astype(np.float32))
    return np.maximum(hidden @ mix * np.sqrt(channels) / 3, 0), labels


def objective(features: np.ndarray, labels: np.ndarray, weights: np.ndarray, intercept: np.ndarray, c: float) -> float:
    """Mean cross-entropy + |W|^2 / (2 C N), in float64 but for the logits."""
    logits = torch.from_numpy(features @ weights.T.astype(np.float32) + intercept.astype(np.float32))
    loss = torch.nn.functional.cross_entropy(logits.double(), torch.from_numpy(labels)).item()
    return loss + float((weights.astype(np.float64) ** 2).sum()) / (2 * c * len(features))


def timed_path(features: np.ndarray, labels: np.ndarray, classes: int, strengths: list[float], tolerance: float):
    """Igdet's path, the basis included: {C: (seconds, objective, iterations)}, strengths as scikit-learn has them."""
    clock = time.perf_counter()
    x = torch.from_numpy(features)
    basis = PrincipalBasis.of(x)
    squared_scale = (x - basis.mean).square().sum(1).mean().item()
    turned, result = basis(x), {}
    print(f"  basis {time.perf_counter() - clock:.1f} s", flush=True)
    path = fit_path(turned, torch.from_numpy(labels), classes, [c * squared_scale for c in strengths], tolerance)
    for c, fit in zip(sorted(strengths), path, strict=True):
        weights = basis.axes @ fit.params[:-1]
        intercept = fit.params[-1] - basis.mean @ weights
        seconds = time.perf_counter() - clock
        reached = objective(features, labels, weights.T.numpy(), intercept.numpy(), c)
        result[c] = seconds, reached, fit.iterations
        print(f"  igdet C={c:.3g}: {seconds:.1f} s, {fit.iterations} iterations, {reached:.6f}", flush=True)
        clock = time.perf_counter()
    return result


def timed_fits(features: np.ndarray, labels: np.ndarray, strengths: list[float], tolerance: float):
    """scikit-learn's fits, each from nothing: as `timed_path` returns them."""
    result = {}
    for c in sorted(strengths):
        clock = time.perf_counter()
        model = LogisticRegression(C=c, tol=tolerance, max_iter=1000).fit(features, labels)
        seconds = time.perf_counter() - clock
        result[c] = seconds, objective(features, labels, model.coef_, model.intercept_, c), int(model.n_iter_[0])
        print(f"  scikit-learn C={c:.3g}: {seconds:.1f} s, {result[c][2]} iterations, {result[c][1]:.6f}", flush=True)
    return result


def main() -> None:
    """Fit both ways, print and record the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--channels", type=int, default=2048)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--strengths", type=int, default=10, help="how many, log-spaced from 1e-4 to 1")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="of igdet: relative distance from the minimum")
    parser.add_argument("--peer-tolerance", type=float, default=1e-4, help="of scikit-learn: largest gradient entry")
    args = parser.parse_args()
    torch.set_num_threads(2)
    features, labels = pooled_features(args.images, args.channels, args.classes)
    strengths = np.logspace(-4, 0, args.strengths).tolist()
    ours = timed_path(features, labels, args.classes, strengths, args.tolerance)
    peers = timed_fits(features, labels, strengths, args.peer_tolerance)
    rows = [[f"{c:.1e}", *peers[c], *ours[c], f"{ours[c][1] / peers[c][1] - 1:+.1e}"] for c in strengths]
    total = [sum(result[c][0] for c in strengths) for result in (peers, ours)]
    rows.append(["all", total[0], "", "", total[1], "", "", f"time: x {total[1] / total[0]:.2f}"])
    sides = [f"{who}: {what}" for who in ("scikit-learn", "igdet") for what in ("s", "objective", "iterations")]
    header = ["C", *sides, "objective, relative difference"]
    report("linear_probe", path=table(header, rows, ["", ".1f", ".6f", "", ".1f", ".6f", "", ""]))


if __name__ == "__main__":
    main()
