"""What becomes of errors in a cluster; tests/curation/test_pipeline.py runs one, and has it lose machines."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")
pytest.importorskip("ray", reason="the extra 'cluster' is not installed")

import ray
from ray.exceptions import NodeDiedError, RayTaskError, WorkerCrashedError

from igdet.curation.engine.cluster import _result
from igdet.utils.errors import UserError
from igdet.utils.processes import ProcessKilledError


def test_results_come_as_they_are(monkeypatch):
    monkeypatch.setattr(ray, "get", lambda task: task * 2)
    assert _result(3) == 6


@pytest.mark.parametrize("lost", [WorkerCrashedError(), NodeDiedError("the machine is away")])
def test_work_that_is_lost_for_good_is_one_line(monkeypatch, lost):
    monkeypatch.setattr(ray, "get", _raises(lost))
    with pytest.raises(
        ProcessKilledError, match=r"^the cluster did not do some work: [Tt]he .*begun 4 times, .* run again$"
    ):
        _result(3)


def test_an_error_of_the_work_is_raised_as_it_was(monkeypatch):
    cause = UserError("posts.csv: no column 'tags'")
    monkeypatch.setattr(ray, "get", _raises(RayTaskError("_do", "a traceback", cause)))
    with pytest.raises(UserError) as caught:
        _result(3)
    assert caught.value is cause


def _raises(error):
    def get(task):
        raise error

    return get
