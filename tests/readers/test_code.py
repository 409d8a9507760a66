"""Source code: cut at its functions and classes, named as a programmer names them, on its own lines."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path, PurePath

import pytest
import tree_sitter

from ragqa.chunk import split
from ragqa.errors import BadInput
from ragqa.read import Source, languages, read_document
from ragqa.read.apart import Child
from ragqa.read.code import LONG_LINE, PARSED, code_blocks
from ragqa.read.definitions import WHOLE
from ragqa.read.formats import BY_NAME, Format, format_named, read_bytes
from ragqa.read.languages import LANGUAGES, PLAIN, SETTINGS
from tests.fakes import letters

FILLER = "x" * WHOLE  # a class with it is too long to stay in one piece


def names(text: str, suffix: str) -> list[tuple[str, str]]:
    """The name and the text of each block."""
    return [(".".join(b.heading), text[b.start : b.end].strip()) for b in code_blocks(text, suffix)]


def format_for(name: str) -> Format:
    found = format_named(PurePath(name))
    assert found
    return found


PYTHON = f'''\
"""What this is for."""

import os

LIMIT = 3


# Adds two numbers.
@cached
def add(a, b):
    return a + b


class Store:
    """Remembers {FILLER}."""

    size = 3

    @property
    def full(self):
        """Whether there is no room."""

        return True

    # Not for everybody.
    async def _put(self):
        def inner():
            pass


if os.name == "nt":
    def add(a, b):
        pass
'''


def test_functions_methods_and_classes_stand_under_their_qualified_names():
    assert [name for name, _text in names(PYTHON, ".py")] == [
        *("", "", "", "add"),
        *("Store", "Store", "Store.full", "Store._put"),
        *("", "add"),
    ]


def test_remarks_and_decorators_right_above_a_definition_belong_to_it():
    blocks = dict(names(PYTHON.partition("if os")[0], ".py"))
    assert blocks["add"].startswith("# Adds two numbers.\n@cached\ndef add")
    assert blocks["Store.full"].startswith("@property\n")
    assert blocks["Store._put"].startswith("# Not for everybody.\n")


def test_a_remark_after_a_blank_line_or_at_the_end_of_another_line_does_not():
    text = "# A whole section.\n\ndef a():\n    pass\nb = 3  # of b\ndef c():\n    pass\n"
    assert names(text, ".py") == [
        ("", "# A whole section."),
        ("a", "def a():\n    pass"),
        ("", "b = 3  # of b"),
        ("c", "def c():\n    pass"),
    ]


def test_a_short_class_stays_in_one_piece():
    text = "class A:\n    x = 1\n\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
    assert names(text, ".py") == [("A", text.strip())]


def test_the_line_with_which_a_class_begins_goes_with_the_first_thing_in_it():
    text = f"class A:\n    def f(self):\n        return '{FILLER}'\n\n    def g(self):\n        return 2\n"
    assert [name for name, _text in names(text, ".py")] == ["A.f", "A.g"]
    assert names(text, ".py")[0][1].startswith("class A:\n    def f")


def test_what_closes_a_class_goes_with_the_last_thing_in_it():
    text = f"class A {{\n  x = '{FILLER}'\n  f() {{}}\n}}\nlet y\n"
    assert names(text, ".js") == [("A", f"class A {{\n  x = '{FILLER}'"), ("A.f", "f() {}\n}"), ("", "let y")]


SAMPLES = {
    ".js": (
        "/** Adds. */\nexport function add(a, b) { return a }\nconst K = 3\n// Multiplies.\n"
        "export const mul = async (a, b) => {\n  return a * b\n}\nmodule.exports.sub = function () { }\n"
        "export default class Store { get() {} }\n",
        ["add", "", "mul", "module.exports.sub", "Store"],
    ),
    ".ts": (
        "export interface I { a: string }\ntype T = string\nnamespace N { export function f(): void {} }\n"
        "abstract class B { abstract m(): void }\nexport enum E { A }\nexport const h: F = () => {}\n"
        "@Component({a: 1})\nexport class C {\n  @Input() name = 1\n}\n",
        ["I", "T", "N", "B", "E", "h", "C"],
    ),
    ".tsx": ("export const View = () => <p>hello</p>\n", ["View"]),
    ".go": (
        "// Package a does.\npackage a\n\n// F adds.\nfunc F(a int) {}\n\nfunc (s *Store[T]) Add() {}\n"
        "// X is one.\ntype X struct { a int }\ntype (\n\tA int\n\tB string\n)\n",
        ["", "F", "Store.Add", "X", "", "A", "B"],
    ),
    ".rs": (
        "//! A crate.\n\n/// One.\n#[derive(Debug)]\npub struct S { a: i32 }\nimpl<T> Tr for S<T> { fn f() {} }\n"
        f"mod m {{\n  pub fn g() {{ /* {FILLER} */ }}\n}}\nmacro_rules! mm {{ () => {{}} }}\n",
        ["", "S", "S", "m.g", "mm"],
    ),
    ".java": (
        f"package a;\n\n/** One. */\n@X\npublic class A {{\n  int x; // {FILLER}\n\n  /** Does. */\n  @Override\n"
        "  public void f() {\n  }\n\n  A() {}\n  enum E { A; void g() {} }\n}\nrecord R(int a) {}\n",
        ["", "A", "A.f", "A.A", "A.E", "R"],
    ),
    ".h": (
        "#ifndef A\n#define A\n#include <x>\n/* A point. */\nstruct s { int a; };\ntypedef struct { int b; } t;\n"
        "static int *f(int a) { }\nint g(void);\n#define M(x) \\\n x\nenum e {A};\n#endif\n",
        ["", "s", "t", "f", "", "M", "e", ""],
    ),
    ".cpp": (
        f"namespace n {{\ntemplate<class T> class C : B {{\n  // {FILLER}\n  int f() {{}}\n}};\n}}\n"
        'int n::C::g() {}\nextern "C" {\nvoid h() {}\n}\n',
        ["n.C", "n.C.f", "n.C.g", "", "h"],
    ),
}


@pytest.mark.parametrize("suffix", SAMPLES)
def test_each_language_is_cut_at_its_own_definitions(suffix: str):
    text, expected = SAMPLES[suffix]
    assert [name for name, _text in names(text, suffix)] == expected


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_every_kind_of_node_that_is_named_is_known_to_the_grammar(language: languages.Language):
    known: set[str] = set()
    for suffix in language.suffixes:
        package, function = language.grammar_of(suffix)
        grammar = tree_sitter.Language(getattr(import_module(package), function)())
        known |= {str(grammar.node_kind_for_id(n)) for n in range(grammar.node_kind_count)}
    named = language.definitions | language.containers | language.wrappers | language.open | language.attached
    assert {name for name in named if name not in known} == set()


def test_what_does_not_parse_still_gives_its_definitions():
    text = "def f(:\n    return\n\ndef g():\n    x = (\n\ndef h():\n    pass\n"
    assert {"f", "h"} <= {name for name, _text in names(text, ".py")}
    assert "".join(text[b.start : b.end] for b in code_blocks(text, ".py")) == text


@pytest.mark.timeout(60)  # fault 30
@pytest.mark.parametrize("open", ["(", "{", "class A { ", "namespace a { ", "[", '"', "#if X\n", "x = function() { "])
@pytest.mark.parametrize("suffix", [".py", ".js", ".cpp", ".rs"])
def test_what_opens_and_never_closes_ends_nothing(open: str, suffix: str):
    text = open * 20_000
    blocks = code_blocks(text, suffix)
    assert (blocks[0].start, blocks[-1].end) == (0, len(text))


def test_letters_of_any_alphabet_and_tabs_move_no_line():
    text = "# 漢字 naïve 👩\n\ndef größe():\n\tif x:\n        return 'é'\n\ndef klein():\n\tpass\n"
    assert [name for name, _text in names(text, ".py")] == ["", "größe", "klein"]
    document = read_document(Source(Path("/a.py"), text.encode(), "", 1), "a.py", "default", Child())
    lines = text.split("\n")
    for passage in split(document, letters, 256):
        assert lines[passage.line_start - 1 : passage.line_end] == passage.text.strip("\n").split("\n")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_function_is_one_passage_with_the_lines_it_stands_on(ending: str):
    text = PYTHON.replace("\n", ending)
    document = read_document(Source(Path("/a.py"), text.encode(), "", 1), "a.py", "default", Child())
    passages = split(document, letters, 1024)
    add = next(passage for passage in passages if passage.heading == ("add",))
    assert (document.type, add.line_start, add.line_end) == ("python", 8, 11)
    assert "".join(passage.text for passage in passages) == text


def test_a_passage_holds_nothing_of_two_names():
    document = read_document(Source(Path("/a.py"), PYTHON.encode(), "", 1), "a.py", "default", Child())
    for passage in split(document, letters, 1024):
        assert {block.heading for block in passage.blocks} == {passage.heading}


def test_a_long_function_is_parted_at_lines_under_its_name():
    text = "def long():\n" + "".join(f"    compute(everything, {n})\n" for n in range(100))
    document = read_document(Source(Path("/a.py"), text.encode(), "", 1), "a.py", "default", Child())
    passages = split(document, letters, 128)
    assert len(passages) > 3
    assert {passage.heading for passage in passages} == {("long",)}
    assert all(passage.text.endswith("\n") for passage in passages)


@pytest.mark.parametrize("name", ["app.min.js", "main.css", "run.sh"])  # fault 30
def test_what_was_not_written_to_be_read_is_refused(name: str):
    content = b"a{b:c}" * (LONG_LINE * 20)
    with pytest.raises(BadInput) as refused:
        read_bytes(format_for(name), content, name)
    assert refused.value.reason == "minified or generated"


def test_a_long_line_among_others_is_no_reason_to_refuse_a_file():
    text = "x = 1\n" * 500 + f"y = '{'a' * LONG_LINE * 2}'\n"
    assert read_bytes(format_for("a.py"), text.encode(), "a.py").text == text


@pytest.mark.timeout(60)  # fault 30
def test_a_file_too_long_to_parse_is_parted_at_its_blank_lines():
    function = "function f() {\n  return 1;\n}\n\n"
    text = function * (PARSED // len(function) + 1)
    blocks = read_bytes(format_for("a.js"), text.encode(), "a.js").blocks
    assert {block.heading for block in blocks} == {()}
    assert all(block.start % len(function) == 0 for block in blocks)
    assert len(blocks) > 1000


@pytest.mark.parametrize("name", [*PLAIN, *SETTINGS])
def test_code_without_a_grammar_keeps_its_lines_and_is_parted_at_blank_ones(name: str):
    text = "a b\n\tc\n\n\nd e\n"
    for suffix in BY_NAME[name].suffixes:
        found = format_for(f"a{suffix}" if suffix.startswith(".") else suffix.capitalize())
        reading = read_bytes(found, text.encode(), suffix)
        assert found.name == name
        assert [(b.kind, text[b.start : b.end]) for b in reading.blocks] == [
            ("code", "a b\n\tc\n\n\n"),
            ("code", "d e\n"),
        ]


def test_long_lines_in_a_log_are_no_sign_that_nobody_reads_it():
    text = ("x" * LONG_LINE * 2 + "\n") * 5
    assert read_bytes(format_for("a.log"), text.encode(), "a.log").text == text


def test_a_folder_has_its_makefile_read():
    assert format_for("Makefile").name == "make"
    assert format_named(PurePath("make")) is None
