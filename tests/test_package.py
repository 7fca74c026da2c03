"""What is installed with the package."""

import os
from pathlib import Path

from setuptools import Distribution  # type: ignore[import-untyped]
from setuptools.command.build_py import build_py  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]
NOT_INSTALLED = {"web/jsconfig.json"}
"""For the editor and `scripts/check-page-types` alone."""


def test_every_file_that_the_package_reads_is_installed_with_it(monkeypatch):
    """Not only in a checkout: a wheel has what pyproject.toml names, and setuptools is asked what that is."""
    monkeypatch.chdir(ROOT)
    distribution = Distribution()
    distribution.parse_config_files([str(ROOT / "pyproject.toml")])
    distribution.include_package_data = (
        False  # there is no MANIFEST.in; it would write its list into the checkout
    )
    command = build_py(distribution)
    command.finalize_options()
    installed = {Path(folder, name) for _, folder, _, names in command.data_files for name in names}
    files = {
        Path(folder, name).relative_to(ROOT)
        for folder, _, names in os.walk(ROOT / "monitor")
        for name in names
        if "__pycache__" not in folder and not name.endswith(".py")
    }
    assert {str(file.relative_to("monitor")) for file in files - installed} == NOT_INSTALLED
