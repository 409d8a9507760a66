"""A chat template in a model file is a program of a stranger's: it is not rendered, nor so much as compiled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_chat_format import PIECES, write_gguf

HOSTILE = {
    "escape": "{{{{ cycler.__init__.__globals__.os.system('touch {mark}') }}}}",
    "import": "{{% import 'os' as os %}}{{{{ os.system('touch {mark}') }}}}",
    "endless loop": "{{% for a in range(99999) %}}{{% for b in range(99999) %}}x{{% endfor %}}{{% endfor %}}",
    # What is constant in a template is worked out when it is compiled.
    "endless number": "{{{{ 9 ** (9 ** 9) }}}}",
    "much text": "{{{{ 'a' * 10 ** 11 }}}}",
    "no template at all": "{{% for",
}
READ = """
import sys
from pathlib import Path
from ragqa.generate import LlamaGenerator
from ragqa.gguf import open_gguf, read_header
from ragqa.types import Piece
path = Path(sys.argv[1])
print(read_header(path).chat_format)
room = {"context": 64, "memory": 64, "encoding": None, "threads": 1}
LlamaGenerator(path, name="a", chat_format="plain", **room).count_tokens(Piece("You"))
"""


# fault 45
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_template_does_nothing(tmp_path: Path, kind: str):
    mark = tmp_path / "mark"
    path = write_gguf(tmp_path / "a.gguf", PIECES, [], HOSTILE[kind].format(mark=mark))
    command = ["prlimit", "--as=4000000000", sys.executable, "-c", READ, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "plain\n"), done.stderr
    assert not mark.exists()
