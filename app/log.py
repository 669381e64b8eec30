"""Logs as JSON lines, to a file that rotates by size and to the terminal.

Secrets are replaced by the name of their key; line breaks and escape sequences inside values reach the log
only as JSON escapes; and a log that cannot be written never stops the program.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from typing import Any, Literal, cast

# structlog takes Rich along where it is installed, for tracebacks on a terminal. None is shown there, and Rich would
# hold 4 MB in each process.
_modules: dict[str, Any] = sys.modules
_modules.setdefault("rich", None)
import structlog  # noqa: E402
from structlog.typing import FilteringBoundLogger, Processor  # noqa: E402

if _modules["rich"] is None:
    del _modules["rich"]

Process = Literal["api", "worker", "dbui", "cli"]

MASK = "********"

#: Parts of key names whose values are never written.
SECRET_KEY = re.compile(r"api[_-]?key|password|passwd|secret|token|authorization|cookie|credential", re.IGNORECASE)

DEFAULT_MAX_BYTES = 10_000_000
DEFAULT_KEEP = 5

#: Marks the handlers that `configure_logging` installed, so that a second call replaces them.
_OURS = "_media_pipeline"

#: Libraries that say at `info` what concerns only their own developers, or at `debug` what holds keys.
_QUIET = ("alembic", "oauthlib", "requests_oauthlib", "urllib3", "PIL", "watchfiles")


def configure_logging(
    process: Process,
    log_dir: str | os.PathLike[str] | None = None,
    level: str = "info",
    max_bytes: int = DEFAULT_MAX_BYTES,
    keep: int = DEFAULT_KEEP,
) -> None:
    """Send every log record of this process to `<log_dir>/<process>.log` and to stdout (the CLI: stderr).

    Without a `log_dir`, or when it cannot be written, only the terminal is used. May be called again, with
    another level for instance; the earlier handlers are replaced.
    """
    logging.raiseExceptions = False
    stream = logging.StreamHandler(sys.stderr if process == "cli" else sys.stdout)
    _install(stream, level, process)
    if log_dir is not None and os.fspath(log_dir):
        _add_file(os.fspath(log_dir), process, max_bytes, keep)


def follow_level(level: str) -> None:
    """Log at this level from now on, in a process that logs as the settings say; the command line keeps its own."""
    root = logging.getLogger()
    if any(getattr(handler, _OURS, "cli") != "cli" for handler in root.handlers):
        root.setLevel(level.upper())


def get_logger(**bound: Any) -> FilteringBoundLogger:
    """A logger: `get_logger().info("batch published", batch_id=3)`; `bound` goes into each of its lines."""
    return cast(FilteringBoundLogger, structlog.get_logger(**bound))


@contextmanager
def working_on(**facts: Any) -> Iterator[None]:
    """Write these facts, as `run_id=3`, into every line of this thread until the block ends; None is left out."""
    with structlog.contextvars.bound_contextvars(**{name: fact for name, fact in facts.items() if fact is not None}):
        yield


def append_record(path: str, process: Process, message: str, error: Exception) -> None:
    """Append one record about an error, with its traceback, to a file and nowhere else. Raises OSError."""
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_formatter(process))
    try:
        details = (type(error), error, error.__traceback__)
        handler.emit(logging.LogRecord("app.cli", logging.ERROR, path, 0, message, None, details))
    finally:
        handler.close()


def redact(value: Any) -> Any:
    """The same value with everything under a secret key name masked, however deep it lies."""
    if isinstance(value, Mapping):
        # An access key is a name, a scope and the key itself, which has no telling name of its own.
        hidden = ("key",) if "scope" in value else ()
        return {key: MASK if key in hidden or _is_secret(key, inner) else redact(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(inner) for inner in value]
    return value


def _is_secret(key: Any, value: Any) -> bool:
    return isinstance(key, str) and value not in ("", None) and SECRET_KEY.search(key) is not None


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return cast(MutableMapping[str, Any], redact(event))


def _readable_bytes(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, bytes):
            event[key] = value.decode("utf-8", "backslashreplace")
    return event


def _install(handler: logging.Handler, level: str, process: str) -> None:
    root = logging.getLogger()
    for old in [h for h in root.handlers if getattr(h, _OURS, "")]:
        root.removeHandler(old)
        with suppress(OSError):
            old.close()
    _attach(root, handler, process)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _attach(root: logging.Logger, handler: logging.Handler, process: str) -> None:
    handler.setFormatter(_formatter(process))
    setattr(handler, _OURS, process)
    root.addHandler(handler)


def _add_file(log_dir: str, process: str, max_bytes: int, keep: int) -> None:
    path = os.path.join(log_dir, f"{process}.log")
    try:
        os.makedirs(log_dir, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=max_bytes, backupCount=keep, encoding="utf-8")
    except OSError as error:
        get_logger().warning("the log file cannot be written", path=path, reason=error.strerror)
        return
    _attach(logging.getLogger(), handler, process)


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        _readable_bytes,
    ]


def _formatter(process: str) -> logging.Formatter:
    def name_process(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"process": process, **event}

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared_processors(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            name_process,
            _redact_event,
            structlog.processors.JSONRenderer(default=repr),
        ],
    )
