"""Whether a small Llama's sentence keeps close to the wording of its evidence."""

from __future__ import annotations

import pytest

from ragqa.verify.wording import has_left, stems_of, strays

LOAN = "The Horniman Museum has the loan of 35 instruments from the museum."


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The bridge was opened in 1894 by Anna Lind.", "The iron bridge was opened in 1894 by the mayor, Anna Lind."),
        ("The keeper lights the lamp at dusk.", "Each evening the keeper lights the lamp at dusk."),
        ("The iron bridge was opened in 1894.", "The iron bridge opened in 1894."),
        ("Anna Lind opened the iron bridge in 1894.", "In May Anna Lind opened the old iron bridge in 1894."),
    ],
)
def test_what_is_shortened_is_close(sentence: str, quote: str):
    assert strays(sentence, quote) == ""


@pytest.mark.parametrize(
    ("sentence", "quote", "how"),
    [
        (
            "Abu al-Rayhan al-Biruni.",
            "Abu al-Rayhan al-Biruni was one of the earliest geologists.",
            "hardly a sentence",
        ),
        ("Another reason for a larger scale here.", "It is small, another reason for a larger scale here.", "hardly"),
        ("The museum loaned 35 instruments to the Horniman Museum museum.", LOAN, "twice"),
        ("35 instruments the Horniman Museum has the loan of.", LOAN, "another order"),
        ("The checkpoint of SQLite starts after 1,000 pages.", "SQLite starts one after 1,000 pages.", "question"),
        ('E5 wants to "passage: " in front of a passage.', 'E5 wants "passage: " in front of a passage.', "between"),
        ("The most common disease is thyroiditis there.", "A common disease is thyroiditis there.", "how many"),
        ("Schools may require that teachers be certified.", "Schools require that teachers be certified.", "surely"),
    ],
)
def test_what_is_twisted_strays(sentence: str, quote: str, how: str):
    assert how in strays(sentence, quote)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", False),
        ("The bridge was", False),
        ("The bridge was painted", False),  # the last word may go on
        ("The bridge was painted in", True),
        ("Answer: The bridge was", False),
        ("The bridge was opened [1] in", False),
        ("1. The bridge was opened", False),
    ],
)
def test_a_word_that_no_quote_has_tells_early(text: str, left: bool):
    assert has_left(text, stems_of(["The bridge was opened.", "Boats pass."])) == left
