"""Pages as they are met on the web: what a person comes to see of them is read, and what stands around it is not."""

from __future__ import annotations

from pathlib import Path

from ragqa.read.html import read
from ragqa.read.reading import Reading

PAGES = Path(__file__).parents[1] / "golden" / "web"


def page(name: str) -> Reading:
    return read((PAGES / name).read_bytes(), name)


def parts(reading: Reading) -> list[tuple[str, str]]:
    return [(block.kind, reading.text[block.start : block.end].rstrip()) for block in reading.blocks]


def test_an_article_of_a_blog():
    reading = page("blog.html")
    assert parts(reading) == [
        ("heading", "How to bake rye bread"),
        ("paragraph", "By Anna, 5 March 2024"),
        ("paragraph", "Feed the leaven the evening before.[1]"),
        ("paragraph", "The loaf after an hour."),
        ("heading", "The oven"),
        ("paragraph", "Heat it to 250 °C, then bake at 200 °C."),
        ("paragraph", "Steam makes the crust thin."),
        ("list", "1. At room temperature."),
        ("paragraph", "Filed under bread."),
    ]
    assert (reading.tags, reading.date) == (("bread",), "2024-03-05")


def test_a_page_of_a_manual():
    assert parts(page("manual.html")) == [
        ("heading", "Installation"),
        ("paragraph", "Pump needs make and a C compiler."),
        ("paragraph", "Note"),
        ("paragraph", "Version 1 is gone."),
        ("heading", "Tools you need"),
        ("code", "# as root\nmake install"),
        ("list", "--prefix\n  Where it goes."),
        ("table", "System | Since\n--- | ---\nLinux | 1.0"),
    ]


def test_a_list_of_questions_whose_answers_unfold():
    assert parts(page("questions.html")) == [
        ("heading", "Questions that are often asked"),
        ("heading", "Orders"),
        ("heading", "How do I cancel my order?"),
        ("paragraph", "Call us within 14 days."),
        ("paragraph", "Who pays for sending it back?"),
        ("paragraph", "We do."),
        ("paragraph", "Can I change the address?"),
        ("paragraph", "Until the parcel has left."),
        ("heading", "Setting up"),
        ("paragraph", "Open the app."),
        ("paragraph", "Open the page."),
        ("paragraph", "Was this of use?"),
    ]


def test_a_recipe():
    assert parts(page("recipe.html")) == [
        ("heading", "Pancakes"),
        ("paragraph", "For 4 people\nReady in 30 minutes"),
        ("heading", "Ingredients"),
        ("list", "- 200 g flour\n- 3 eggs\n- For the sauce:\n  - 1 lemon\n  - sugar"),
        ("heading", "Method"),
        (
            "list",
            "1. Mix flour and eggs.\n2. Wait half an hour.\n  Longer does no harm.\n"
            "3. Fry them on 10² cm², as in 1894[3], on the 1st of May.",
        ),
        ("quotation", "The best I ever had."),
    ]
