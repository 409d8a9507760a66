"""Text with marks of Markdown → all that can stand as a quotation."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa.document import Block
from ragqa.quotable import PART_LINES, WHOLE_LINES, quotable_spans
from ragqa.read.markdown import markdown_blocks

texts = (
    st.text("a. \n", max_size=12) | st.text("aB1. !?…\n\t\"')”。！」\u2028#-|*`~", max_size=80) | st.text(max_size=80)
)


def quotes(text: str) -> list[str]:
    return [text[start:end] for start, end, _code in quotable_spans(text, markdown_blocks(text))]


@settings(max_examples=200)
@given(texts)
def test_quotes_are_stripped_and_stand_in_the_text_in_order(text: str):
    spans = list(quotable_spans(text, markdown_blocks(text)))
    assert all(0 <= start < end <= len(text) for start, end, _whole in spans)
    assert all(text[start:end] == text[start:end].strip() for start, end, whole in spans if not whole)
    assert all(text[start:end] == text[start:end].strip("\n").rstrip() for start, end, whole in spans if whole)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_list_items_are_quoted_one_by_one():
    assert quotes("Buy this.\n\n- two eggs\n- milk\n  and cream\n1. first\n") == [
        "Buy this.",
        "- two eggs",
        "- milk\n  and cream",
        "1. first",
    ]


def table(rows: int) -> str:
    return "| a | b |\n|---|---|\n" + "".join(f"| - | {n} |\n" for n in range(rows))


def test_a_table_is_quoted_whole_with_its_head():
    assert quotes(f"So:\n\nText.\n\n{table(3)}\nAfter it.\n") == ["So:", "Text.", table(3).strip(), "After it."]


def test_a_table_longer_than_a_screen_is_quoted_row_by_row_without_its_head():
    rows = WHOLE_LINES
    assert quotes(table(rows)) == [f"| - | {n} |" for n in range(rows)]


def test_lines_with_bars_that_are_no_table_are_quoted_one_by_one():
    assert quotes("| one\n| two\n| three\n") == ["| one", "| two", "| three"]


def test_a_sentence_with_a_colon_brings_the_table_it_announces():
    assert quotes(f"The codes:\n\n{table(2)}") == [f"The codes:\n\n{table(2)}".strip()]


def test_code_may_be_set_in_by_spaces():
    text = "Run this.\n\n    def run():\n\n        go()\n\nIt ran.\n"
    assert quotes(text) == ["Run this.", "    def run():\n\n        go()", "It ran."]


def test_what_is_set_in_under_a_list_item_is_no_code():
    assert quotes("- one\n\n    still one\n\n    and more\n") == ["- one", "still one", "and more"]


def test_code_in_a_quotation_is_code():
    text = "> So:\n>\n> ```\n> run()\n> ```\n"
    assert [text[a:b] for a, b, code in quotable_spans(text, markdown_blocks(text)) if code] == ["> run()"]


def test_only_code_is_marked_as_code():
    text = "It runs so.\n\n```\nrun()\n```\nIt ran.\n"
    assert [(text[a:b], code) for a, b, code in quotable_spans(text, markdown_blocks(text))] == [
        ("It runs so.", False),
        ("run()", True),
        ("It ran.", False),
    ]


def test_a_sentence_with_a_colon_brings_what_it_announces():
    assert quotes("Run this:\n\n```\nrun()\n```\nIt ran.\n") == ["Run this:\n\n```\nrun()\n```", "It ran."]
    assert quotes("Buy:\n\n- eggs\n- milk\n\nThen go.\n") == ["Buy:\n\n- eggs\n- milk", "Then go."]


def test_a_sentence_with_a_colon_brings_what_somebody_says():
    assert quotes("They say:\n\n> It holds 7 days.\n\nFine.\n") == ["They say:\n\n> It holds 7 days.", "Fine."]


def test_a_colon_announces_no_more_than_can_be_read():
    items = "".join(f"- number {n}\n" for n in range(50))
    found = quotes(f"Buy:\n\n{items}")
    assert len(found[0].splitlines()) <= 30
    assert found[-1] == "- number 49"


def test_headings_rules_and_fences_are_not_quoted():
    assert quotes("# One\n\nText here.\n\n---\n\n```py\nx = 1. \n```\nAfter it.\n") == [
        "Text here.",
        "x = 1.",
        "After it.",
    ]


def test_front_matter_is_not_quoted():
    assert quotes("---\ntitle: A. B.\n---\nText here.\n") == ["Text here."]


def test_a_hash_in_code_is_no_heading():
    assert quotes("```\n# comment\nrun()\n```\n") == ["# comment\nrun()"]


def test_code_of_so_many_lines_is_quoted_whole_and_longer_code_in_parts():
    code = "".join(f"line {n}\n" for n in range(WHOLE_LINES))
    assert quotes(f"```\n{code}```\n") == [code.strip()]
    found = quotes(f"```\n{code}more\n```\n")
    assert [len(part.splitlines()) for part in found] == [PART_LINES, PART_LINES, 1]
    assert "\n".join(found) == f"{code}more"


def test_a_passage_that_begins_inside_code_is_read_right_side_up():
    text = "x = 1\ny = 2\n```\n\nAfter the code. More text.\n"
    blocks = (Block("code", 0, 17), Block("paragraph", 17, len(text)))
    found = [(text[a:b], whole) for a, b, whole in quotable_spans(text, blocks)]
    assert found == [("x = 1\ny = 2", True), ("After the code.", False), ("More text.", False)]


def test_a_fence_is_closed_by_its_own_kind_only():
    assert quotes("```\none\n~~~\ntwo\n```\nAfter it.\n") == ["one\n~~~\ntwo", "After it."]
    assert quotes("Run ```pip install x``` first.\n\nThen go.\n") == ["Run ```pip install x``` first.", "Then go."]
    assert quotes("1. ```\n   run()\n   ```\n2. Then go. It stores all.\n") == [
        "   run()",
        "2. Then go.",
        "It stores all.",
    ]


def test_headings_of_both_kinds_are_not_quoted():
    assert quotes("Gecko manual\n============\n\nIt was written by Mona.\n") == ["It was written by Mona."]


def test_tables_need_no_bars_outside():
    text = "service | port\n--- | ---\nproxy | 8412\ncache | 9001\n"
    assert quotes(text) == [text.strip()]


def test_a_quotation_that_is_announced_is_taken_whole():
    assert quotes("He said:\n\n> one. Two.\n> three.\n\nDone.\n") == ["He said:\n\n> one. Two.\n> three.", "Done."]
    assert quotes("> One here. Two here.\n") == ["> One here.", "Two here."]


def test_a_full_width_colon_announces_too():
    assert quotes("颜色是红色的：\n\n- 主塔是红色\n") == ["颜色是红色的：\n\n- 主塔是红色"]


def test_no_sentence_ends_inside_a_link_or_an_image():
    text = "![Buttons: Save. Cancel. Deploy.](https://example.org/a.jpg) It works."
    assert quotes(text) == [text]


def test_an_item_announces_only_what_is_set_in_under_it():
    assert quotes("- Fruit:\n- Bread\n") == ["- Fruit:", "- Bread"]
    assert quotes("- Fruit:\n  - Apples\n- Bread\n") == ["- Fruit:\n  - Apples", "- Bread"]
