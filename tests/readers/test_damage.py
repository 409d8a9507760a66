"""Documents that were cut off or changed on their way: each is read as far as it goes, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from zipfile import ZipFile, is_zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragqa.errors import BadInput
from ragqa.read.apart import Child
from tests.readers import test_epub, test_odt, test_pdf, test_rtf, test_sheets, test_slides, test_word
from tests.readers.cited import apart, zipped

MADE: dict[str, Callable[[], bytes]] = {
    "pdf": test_pdf.report,
    "docx": test_word.handbook,
    "pptx": lambda: test_slides.saved(test_slides.deck()),
    "xlsx": test_sheets.prices,
    "odt": test_odt.handbook,
    "rtf": lambda: test_rtf.LETTER,
    "epub": test_epub.book,
}
FEW = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child() as running:
        yield running


@pytest.fixture(scope="module", params=MADE)
def valid(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    return f"a.{request.param}", MADE[request.param]()


def read_or_refused(name: str, content: bytes, child: Child) -> str:
    """What became of it; anything else that happens is a fault of the reader."""
    try:
        return apart(name, content, child).text
    except BadInput as error:
        return error.reason


def test_a_whole_one_is_read(valid: tuple[str, bytes], child: Child):
    assert apart(*valid, child).places


@FEW
@given(share=st.floats(0, 1, exclude_max=True))
def test_any_beginning_of_one_is_read_or_refused(valid: tuple[str, bytes], child: Child, share: float):
    name, content = valid
    assert read_or_refused(name, content[: int(share * len(content))], child)


@FEW
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=12))
def test_one_with_some_bytes_changed_is_read_or_refused(
    valid: tuple[str, bytes], child: Child, flips: list[tuple[float, int]]
):
    name, content = valid
    changed = bytearray(content)
    for share, bits in flips:
        changed[int(share * len(changed))] ^= bits
    assert read_or_refused(name, bytes(changed), child)


@FEW
@given(part=st.integers(0, 100), at=st.floats(0, 1, exclude_max=True), patch=st.binary(min_size=1, max_size=40))
def test_one_whose_parts_hold_other_bytes_is_read_or_refused(
    valid: tuple[str, bytes], child: Child, part: int, at: float, patch: bytes
):
    name, content = valid
    if not is_zipfile(BytesIO(content)):
        content = content[: int(at * len(content))] + patch + content[int(at * len(content)) :]
    else:
        with ZipFile(BytesIO(content)) as archive:
            parts = {one: archive.read(one) for one in archive.namelist()}
        chosen = sorted(parts)[part % len(parts)]
        place = int(at * len(parts[chosen]))
        content = zipped(parts | {chosen: parts[chosen][:place] + patch + parts[chosen][place + len(patch) :]})
    assert read_or_refused(name, content, child)
