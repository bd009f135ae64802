"""The Makefile's list of studies."""

from pathlib import Path

import yaml


def test_studies_are_all_run_after_those_whose_pretrainings_they_take(repository):
    (line,) = (line for line in (repository / "Makefile").read_text().splitlines() if line.startswith("STUDIES :="))
    order = line.removeprefix("STUDIES :=").split()
    files = {path.stem: path for path in Path(repository, "configs/studies").glob("*.yaml")}
    assert sorted(order) == sorted(files)
    for place, name in enumerate(order):
        starts = yaml.safe_load(files[name].read_text())["INITIALIZATIONS"].values()
        needed = {start["WEIGHTS"].split("/")[2] for start in starts if "runs/studies/" in start.get("WEIGHTS", "")}
        assert needed <= set(order[:place]), name
