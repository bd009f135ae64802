"""A run that is asked to stop, by whatever signal, writes a checkpoint and says so in its status."""

import os
import signal
from types import SimpleNamespace

import pytest

from igdet.data.workers import STOP_SIGNALS
from igdet.engine.preemption import StopOnRequest


@pytest.fixture
def hook():
    """The hook of a run in its fourth of ten iterations; `saved` has the names of its checkpoints."""
    hook, saved = StopOnRequest(lambda: None), []
    checkpointer = SimpleNamespace(save=lambda name, iteration: saved.append(name))
    hook.trainer = SimpleNamespace(iter=3, max_iter=10, checkpointer=checkpointer, saved=saved)
    return hook


@pytest.fixture(autouse=True)
def _heard():
    """Signals that whoever started the tests, such as nohup, may have ignored are heard."""
    earlier = {number: signal.signal(number, signal.SIG_DFL) for number in STOP_SIGNALS}
    yield
    for number, handler in earlier.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_each_request_is_answered_with_a_checkpoint(hook, number):
    before = signal.getsignal(number)
    hook.before_train()
    hook.after_step()
    assert hook.trainer.saved == []
    os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before  # a second one ends the process at once
    with pytest.raises(SystemExit) as stop:
        hook.after_step()
    hook.after_train()
    assert (stop.value.code, hook.trainer.saved) == (128 + number, ["model_0000003"])
    assert signal.getsignal(number) == before


def test_what_nohup_has_ignored_stays_ignored(hook):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        hook.before_train()
        os.kill(os.getpid(), signal.SIGHUP)
        hook.after_step()
        hook.after_train()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert hook.trainer.saved == []


def test_the_last_iteration_ends_by_itself(hook):
    hook.trainer.max_iter = 4
    hook.before_train()
    os.kill(os.getpid(), signal.SIGTERM)
    hook.after_step()
    hook.after_train()
    assert hook.trainer.saved == []
