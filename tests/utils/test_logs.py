"""What is logged while a command runs: nothing in it acts on a terminal."""

import io
import logging

import pytest

from igdet.utils.messages import printable_logs


@pytest.fixture
def log():
    """A logger below that of a library, and what its handler wrote."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger("somebody").addHandler(handler)
    yield logging.getLogger("somebody.module"), stream
    logging.getLogger("somebody").removeHandler(handler)


def test_names_in_records_of_every_logger_are_escaped(log):
    logger, stream = log
    with printable_logs():
        logger.warning("class %s", "\x1b]0;title\x07\u202egpj.exe")
    assert stream.getvalue() == "class \\x1b]0;title\\x07\\u202egpj.exe\n"


def test_the_colours_of_tables_are_dropped(log):
    logger, stream = log
    with printable_logs():
        logger.warning("\x1b[36m| cat |\n| dog |\x1b[0m")
    assert stream.getvalue() == "| cat |\n| dog |\n"


def test_tracebacks_are_escaped_too(log):
    logger, stream = log
    with printable_logs():
        try:
            raise ValueError("\x1b[2J")
        except ValueError:
            logger.exception("failed")
    assert stream.getvalue().endswith("ValueError: \\x1b[2J\n")


def test_afterwards_logs_are_as_before():
    factory = logging.getLogRecordFactory()
    with printable_logs():
        pass
    assert logging.getLogRecordFactory() is factory
