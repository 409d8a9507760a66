"""The recorded session: small, loads nothing, and shows what the program prints."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.conftest import ROOT, Ragqa
from tests.test_site import elsewhere, in_style

PICTURE = ROOT / "docs" / "session.svg"


def test_the_picture_is_small_and_loads_nothing():
    text = PICTURE.read_text()
    ElementTree.fromstring(text)
    assert PICTURE.stat().st_size < 200_000
    assert not elsewhere(in_style(text) + re.findall(r'href="([^"#][^"]*)"', text))
    assert "@font-face" not in text


@pytest.mark.model
def test_the_picture_shows_what_the_program_prints(library: Ragqa):
    command = [sys.executable, ROOT / "scripts" / "record.py", "--check", "--home", library.home]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
