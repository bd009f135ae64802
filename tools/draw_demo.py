"""Draw docs/images/demo.svg, the README's figure, from the demo's committed result file."""

import argparse
from pathlib import Path

import matplotlib
from benchmarks.record import Table, read_result

matplotlib.use("svg")
from matplotlib import pyplot

ROOT = Path(__file__).resolve().parent.parent
RESULT, FIGURE = ROOT / "docs/benchmarks/results/demo.json", ROOT / "docs/images/demo.svg"
COLORS = ("#b8bec7", "#6f9ad3", "#d9822b")
# Identifiers drawn from a fixed salt and no date: the same results are the same file.
STYLE = {"svg.hashsalt": "igdet", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}


def measured(cell: str) -> tuple[float, float]:
    """Return "10.5 ± 0.6" as (mean, standard deviation)."""
    mean, deviation = cell.split(" ± ")
    return float(mean), float(deviation)


def draw(transfer: Table) -> pyplot.Figure:
    """Draw one group of bars for each metric, one bar for each initialization, with its spread over seeds."""
    metrics = transfer.columns[1:-1]
    width = 0.8 / len(transfer.rows)
    figure, axes = pyplot.subplots(figsize=(8, 3), layout="constrained")
    for number, ((name, *cells, _), color) in enumerate(zip(transfer.rows, COLORS, strict=True)):
        means, deviations = zip(*map(measured, cells), strict=True)
        places = [place + width * (number - (len(transfer.rows) - 1) / 2) for place in range(len(metrics))]
        bars = axes.bar(places, means, 0.92 * width, yerr=deviations, color=color, label=name, ecolor="#444444")
        axes.bar_label(bars, fmt="%.1f", fontsize=8, padding=1)
    axes.set_xticks(range(len(metrics)), metrics)
    axes.set_ylabel("percent")
    axes.legend(frameon=False, loc="upper left")
    return figure


def main() -> None:
    """Draw and save."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with pyplot.rc_context(STYLE):
        draw(read_result(RESULT).tables["transfer"]).savefig(FIGURE, metadata={"Date": None})
    print(f"{FIGURE.relative_to(ROOT)}: drawn")


if __name__ == "__main__":
    main()
