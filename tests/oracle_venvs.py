"""Build the virtual environments of the real agentlightning releases that tests compare with."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

# agentlightning 0.x runs on Python 3.10 and 3.11. What its own pins leave open is pinned here,
# so that a new release of a dependency does not change what the tests compare with.
# From 1.45 on, 0.2 and 0.3 lose every span that goes to a store server: they set a private
# attribute of the OTLP exporter that is not read any more.
_OTEL = (
    "opentelemetry-api==1.44.0",
    "opentelemetry-sdk==1.44.0",
    "opentelemetry-exporter-otlp==1.44.0",
)
REQUIREMENTS = {
    "0.1.2": ("agentlightning==0.1.2", "openai<2"),
    "0.2.2": ("agentlightning==0.2.2", "litellm==1.106.2", *_OTEL),
    "0.3.0": ("agentlightning==0.3.0", "litellm==1.106.2", *_OTEL),
}


def oracle_root() -> Path:
    """Where the environments are: AGL_ORACLES, else a folder of the user's cache."""
    return Path(os.environ.get("AGL_ORACLES") or Path.home() / ".cache" / "agl-oracles")


def build_missing() -> None:
    """Build every environment that is not there yet; two runs at once do it once.

    Raises:
        RuntimeError: there is no Python 3.10 or 3.11 to build them with.
    """
    root = oracle_root()
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for version, packages in REQUIREMENTS.items():
            venv = root / f"agl-{version}"
            if not (venv / ".complete").exists():
                _build(venv, packages)


def _build(venv: Path, packages: tuple[str, ...]) -> None:
    print(f"building {venv} (once)", file=sys.stderr, flush=True)
    subprocess.run([_python(), "-m", "venv", "--clear", str(venv)], check=True)
    python = venv / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "-q", *packages], check=True)
    (venv / ".complete").touch()


def _python() -> str:
    if sys.version_info[:2] in ((3, 10), (3, 11)):
        return sys.executable
    for name in ("python3.11", "python3.10"):
        found = shutil.which(name)
        # A shim of pyenv may stand there for a version that is not switched on.
        if found is not None and not subprocess.run([found, "-c", ""], check=False).returncode:
            return found
    raise RuntimeError(
        "agentlightning 0.x needs Python 3.10 or 3.11 and neither is on the PATH; install one, "
        "or run the tests without the real releases: pytest -m 'not oracle'"
    )


if __name__ == "__main__":
    build_missing()
