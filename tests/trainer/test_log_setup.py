"""Setting up the log."""

from __future__ import annotations

import importlib
import io
import logging
import sys

import pytest

import agentlightning_compat as agl

LOGGERS = ["agentlightning", "agentlightning_compat", "agentlightning.deep", "elsewhere"]
LOGGERS += ["agentlightning_compat.deep", "elsewhere.deep"]


@pytest.fixture(autouse=True)
def restored():
    before = {
        name: (logging.getLogger(name).level, logging.getLogger(name).propagate) for name in LOGGERS
    }
    yield
    logging.captureWarnings(False)
    for name, (level, propagate) in before.items():
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(level)
        logger.propagate = propagate


def test_what_this_package_logs_is_shown_too(capsys) -> None:
    agl.setup_logging(color=False)
    logging.getLogger("agentlightning.deep").info("theirs")
    logging.getLogger("agentlightning_compat.deep").info("ours")
    logging.getLogger("agentlightning_compat.deep").debug("detail")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(")   ")[1] for line in lines] == ["theirs", "ours"]
    assert "[INFO] (Process-" in lines[0]


def test_setting_up_again_replaces(capsys) -> None:
    for level in ("DEBUG", logging.ERROR):
        logger = agl.setup_module_logging(level, name="elsewhere", color=False)
    logger.warning("no")
    logger.error("yes")
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "yes" in shown
    assert logger.propagate is False


def test_with_rich() -> None:
    rich = importlib.import_module("rich.logging")
    logger = agl.setup_module_logging(name="elsewhere")
    assert [type(handler) for handler in logger.handlers] == [rich.RichHandler]
    logger = agl.setup_module_logging(name="elsewhere", color={"markup": True})
    assert logger.handlers[0].markup is True


def test_without_rich(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.logging", None)
    logger = agl.setup_module_logging(name="elsewhere")
    assert [type(handler) for handler in logger.handlers] == [logging.StreamHandler]
    assert agl.setup_module_logging(name="elsewhere", console=False).handlers == []


def test_files(tmp_path) -> None:
    one, deep = tmp_path / "logs" / "one.log", tmp_path / "deep.log"
    for _ in range(2):
        agl.setup_logging(console=False, files=str(one))
    logging.getLogger("agentlightning.deep").info("theirs")
    logging.getLogger("agentlightning_compat.deep").info("ours")
    assert [line.split(")   ")[1] for line in one.read_text().splitlines()] == ["theirs", "ours"]
    agl.setup_logging(console=False, files={"agentlightning.deep": str(deep)})
    logging.getLogger("agentlightning.deep").info("once")
    assert deep.read_text().count("once") == 1


def test_levels_handlers_and_others(capsys) -> None:
    stream = io.StringIO()
    extra = logging.StreamHandler(stream)
    agl.setup_logging(
        "WARNING",
        color=False,
        submodule_levels={"agentlightning.deep": "DEBUG"},
        extra_handlers=[extra],
        formatter=logging.Formatter("plain %(message)s"),
        apply_to=["elsewhere"],
    )
    logging.getLogger("agentlightning_compat.deep").debug("detail")
    logging.getLogger("elsewhere").warning("of others")
    assert stream.getvalue().splitlines()[-2:] == ["detail", "of others"]
    shown = capsys.readouterr().err
    assert "agentlightning.deep has level DEBUG, below that of its handlers" in shown
    assert "detail" not in shown
    assert "of others" in shown
    assert logging.getLogger("elsewhere").propagate is False


def test_all_others_can_be_turned_off() -> None:
    other = logging.getLogger("elsewhere.deep")
    known = [
        logger
        for logger in logging.root.manager.loggerDict.values()
        if isinstance(logger, logging.Logger) and not logger.disabled
    ]
    try:
        logger = agl.setup_module_logging(name="elsewhere", disable_existing_loggers=True)
        assert other.disabled
        assert not logger.disabled
    finally:
        for one in known:
            one.disabled = False


def test_a_level_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no log level 'LOUD'"):
        agl.setup_logging("LOUD")


def test_the_old_name() -> None:
    with pytest.warns(DeprecationWarning, match=r"call setup_logging\(\)") as caught:
        logger = agl.configure_logger(name="elsewhere")
    assert caught[0].filename == __file__
    assert logger is logging.getLogger("elsewhere")
    assert logger.level == logging.INFO


def test_warnings_can_be_captured() -> None:
    agl.setup_logging(console=False, capture_warnings=True)
    assert logging._warnings_showwarning is not None
