"""E-mail: one message, or an mbox of many."""

from __future__ import annotations

from base64 import b64encode
from email.message import EmailMessage
from pathlib import Path

import pytest

from ragqa.document import place_at
from ragqa.errors import BadInput
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME, read_bytes
from ragqa.read.reading import Reading
from tests.readers.cited import citation

PLAIN = (
    b"From: Anna <anna@example.org>\nTo: ben@example.org\nDate: Mon, 05 May 2025 23:30:00 -0500\nSubject: The lamp\n"
)


def read(content: bytes) -> Reading:
    return read_bytes(BY_NAME["mail"], content, "a.eml")


def blocks(reading: Reading) -> list[tuple[str, str]]:
    return [(block.kind, reading.text[block.start : block.end].strip()) for block in reading.blocks]


def body(reading: Reading) -> list[str]:
    return [text for kind, text in blocks(reading) if kind != "front"]


def made(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in ({"Subject": "The lamp"} | headers).items():
        message[name] = value
    return message


def test_who_wrote_when_about_what_is_front_text_and_the_subject_a_heading():
    reading = read(PLAIN + b"\nIt is lit.\n\n> Is it lit?\n> Anna\n\nYes.\n")
    assert blocks(reading) == [
        (
            "front",
            "From: Anna <anna@example.org>\nTo: ben@example.org\n"
            "Date: Mon, 05 May 2025 23:30:00 -0500\nSubject: The lamp",
        ),
        ("paragraph", "It is lit."),
        ("quotation", "> Is it lit?\n> Anna"),
        ("paragraph", "Yes."),
    ]
    assert {block.heading for block in reading.blocks} == {("The lamp",)}
    assert (reading.title, reading.date) == ("The lamp", "2025-05-05")


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 May 2025", "1", "\x00"])
def test_a_date_that_is_none_is_none(date: str):
    assert read(f"Subject: x\nDate: {date}\n\nText.\n".encode()).date == ""


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "koi8-r"])
def test_the_text_is_decoded_as_it_was_sent(encoding: str, charset: str):
    text = "Маяк горит." if charset == "koi8-r" else "Der Leuchtturm müßte brennen."
    message = made()
    message.set_content(text, charset=charset, cte=encoding)
    assert body(read(bytes(message))) == [text]


def test_encoded_words_are_read():
    subject = b"Subject: =?utf-8?q?M=C3=BC=C3=9F?= =?iso-8859-1?B?4+Q=?= and more\n"
    reading = read(subject + b"From: =?utf-8?b?0JDQvdC90LA=?= <a@b>\n\nx\n")
    assert (reading.title, blocks(reading)[0][1]) == ("Müßãä and more", "From: Анна <a@b>\nSubject: Müßãä and more")


@pytest.mark.parametrize(
    "subject", [b"=?utf-8?b?####?= x", b"=?none?q?=e4?= x", b"\xff\xfe x", b"=?utf-8?q?=ED=A0=80?= x", b"\xc3\xa4 x"]
)
def test_a_header_in_disorder_is_shown_as_well_as_it_goes(subject: bytes):
    title = read(b"Subject: " + subject + b"\n\nText.\n").title
    assert title.endswith("x")
    title.encode()


def test_a_text_with_an_encoding_that_is_unknown_or_wrong_is_kept():
    for charset in ("utf-8", "ascii", "none", "zlib_codec", "undefined"):
        content = f"Subject: x\nContent-Type: text/plain; charset={charset}\n\ncaf".encode() + b"\xe9 au lait\n"
        (text,) = body(read(content))
        assert (text[:3], text[4:]) == ("caf", " au lait")


def test_of_alternatives_the_plain_text_is_read():
    message = made()
    message.set_content("Plain.")
    message.add_alternative("<p>Rich.</p>", subtype="html")
    assert body(read(bytes(message))) == ["Plain."]


@pytest.mark.parametrize("plain", ["", " \n"])
def test_html_is_read_where_there_is_no_plain_text(plain: str):
    message = made()
    message.set_content(plain)
    message.add_alternative("<p>Rich <b>text</b>.</p><script>no()</script>", subtype="html")
    assert body(read(bytes(message))) == ["Rich text."]


def test_attachments_are_named_and_not_read():
    message = made()
    message.set_content("See there.")
    message.add_attachment("secret text", filename="Zürich.txt")
    message.add_attachment(b"\x00\x01", maintype="image", subtype="png", filename="lamp.png")
    forwarded = made(Subject="Forwarded")
    forwarded.set_content("Their text.")
    message.add_attachment(forwarded)
    reading = read(bytes(message))
    assert body(reading) == ["See there.", "Attached, not read: Zürich.txt, lamp.png, Forwarded"]
    assert "secret" not in reading.text


@pytest.mark.parametrize(
    ("charset", "content", "text"),
    [
        ("iso-8859-1", b"It\x92s \x93fine\x94 \x96 5 \x80 caf\xe9", "It’s “fine” – 5 € café"),
        ("us-ascii", "Grüße, 5 €".encode(), "Grüße, 5 €"),
        ("iso-8859-1", "Grüße, 5 €".encode(), "Grüße, 5 €"),
        ("gb2312", "朱镕基，测试".encode("gbk"), "朱镕基，测试"),
        ("gb2312", "什么".encode("gbk"), "什么"),
        ("ks_c_5601-1987", "똠방각하".encode("cp949"), "똠방각하"),
        ("utf-16", "Grüße".encode("utf-16"), "Grüße"),
        ("utf-7", "Grüße".encode("utf-7"), "Grüße"),
        ("none", "Die Tür ist für Gäste offen.".encode("cp1252"), "Die Tür ist für Gäste offen."),
    ],
)
def test_an_encoding_is_taken_for_what_programs_mean_by_its_name(charset: str, content: bytes, text: str):  # fault 13
    sent = b64encode(content).decode()
    head = f"Subject: =?{charset}?b?{sent}?=\nContent-Transfer-Encoding: base64\n"
    plain = read(f"{head}Content-Type: text/plain; charset={charset}\n\n{sent}\n".encode())
    assert (plain.title, body(plain)) == (text, [text])
    html = read(f"{head}Content-Type: text/html; charset={charset}\n\n{sent}\n".encode())
    assert body(html) == [text]


def test_a_subject_that_names_no_encoding_is_read_as_what_it_looks_like():
    assert read("Subject: Grüße für Köln\n\nx\n".encode("cp1252")).title == "Grüße für Köln"


def parts(kind: str, *inside: str) -> bytes:
    told = "".join(f"--B\n{part}\n" for part in inside)
    return f"Subject: The lamp\nContent-Type: multipart/{kind}; boundary=B\n\n{told}--B--\n".encode()


CALENDAR = "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n"
RELATED = "Content-Type: multipart/related; boundary=C\n\n--C\nContent-Type: text/html\n\n<p>Room 12.</p>\n--C--\n"


@pytest.mark.parametrize("text", ["Content-Type: text/html\n\n<p>Room 12.</p>\n", RELATED])
def test_of_alternatives_the_last_is_read_that_is_text(text: str):
    assert body(read(parts("alternative", text, CALENDAR))) == ["Room 12."]
    assert body(read(parts("alternative", CALENDAR))) == ["Attached, not read: text/calendar"]


def test_text_with_a_name_that_was_not_sent_as_a_file_is_read():
    named = 'Content-Type: text/plain; name="lamp.txt"\n'
    assert body(read(parts("mixed", f"{named}\nIt is lit.\n"))) == ["It is lit."]
    file = f'{named}Content-Disposition: inline; filename="lamp.txt"\n'
    assert body(read(parts("mixed", f"{file}\nIt is lit.\n"))) == ["Attached, not read: lamp.txt"]
    assert body(read(f"Subject: x\n{file}\nIt is lit.\n".encode())) == ["It is lit."]


def test_the_messages_of_a_digest_are_read_each_with_its_front():
    sent = [
        f"\nFrom: {who}@example.org\nSubject: {about}\n\nIt is {about}.\n"
        for who, about in (("a", "lit"), ("b", "out"))
    ]
    reading = read(parts("digest", *sent))
    assert [(block.kind, block.heading) for block in reading.blocks] == [
        ("front", ("The lamp",)),
        *(("front", ("The lamp", "lit")), ("paragraph", ("The lamp", "lit"))),
        *(("front", ("The lamp", "out")), ("paragraph", ("The lamp", "out"))),
    ]
    assert body(reading) == ["It is lit.", "It is out."]


def test_a_message_that_was_forwarded_in_the_text_is_read_where_it_stands():
    forwarded = (
        "Content-Type: message/rfc822\nContent-Disposition: inline\n\nFrom: c@example.org\nSubject: Oil\n\nBuy it.\n"
    )
    reading = read(parts("mixed", "\nSee below.\n", forwarded, "\nThanks.\n"))
    assert body(reading) == ["See below.", "Buy it.", "Thanks."]
    assert [block.heading for block in reading.blocks if block.kind == "paragraph"] == [
        *(("The lamp",), ("The lamp", "Oil"), ("The lamp",))
    ]


def test_a_forwarded_message_that_cannot_be_taken_apart_is_named():
    packed = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA==\n"
    assert body(read(parts("mixed", packed))) == ["Attached, not read: message/rfc822"]


def test_messages_inside_messages_without_end_are_refused():
    content = b"Subject: x\n" + b"Content-Type: message/rfc822\n\nSubject: x\n" * 3000 + b"\nText.\n"
    with Child() as child, pytest.raises(BadInput) as refused:
        child.read(BY_NAME["mail"], content, "a.eml")
    assert refused.value.reason == "nested too deeply"


def test_a_message_without_its_boundary_is_taken_as_it_stands():
    assert body(read(b"Subject: x\nContent-Type: multipart/mixed\n\nText.\n")) == ["Text."]


def test_what_has_no_header_of_a_mail_is_refused():
    with pytest.raises(BadInput) as refused:
        read(b"Only text.\n")
    assert refused.value.reason == "no e-mail"


def test_parts_inside_parts_without_end_are_refused():
    head = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(3000))
    with Child() as child, pytest.raises(BadInput) as refused:
        child.read(BY_NAME["mail"], b"Subject: x\n" + head + b"\nText.\n", "a.eml")
    assert refused.value.reason == "nested too deeply"


def test_parts_that_stand_deep_are_read_as_far_as_python_reads_them():
    head = b"".join(b'Content-Type: multipart/alternative; boundary="%d"\n\n--%d\n' % (n, n) for n in range(80))
    assert body(read(b"Subject: x\n" + head + b"\nText.\n")) == ["Text."]


def lines_of(reading: Reading, *quotes: str) -> list[int]:
    found = [place_at(reading.places, reading.text.index(quote)) for quote in quotes]
    return [place.line if place else 0 for place in found]


def lines_in(content: bytes, *quotes: bytes) -> list[int]:
    return [content.count(b"\n", 0, content.index(quote)) + 1 for quote in quotes]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_each_line_of_a_text_is_cited_by_its_own_line_of_the_file(end: bytes):
    body = b"\n".join(b"\n\nNote %d.\nMore of %d." % (n, n) for n in range(100, 140))
    content = (PLAIN + body).replace(b"\n", end)
    reading = read(content)
    assert lines_of(reading, "From: Anna") == [1]
    assert lines_of(reading, "Note 138.", "More of 138.") == lines_in(content, b"Note 138.", b"More of 138.")
    assert {place.label for place in reading.places} == {""}


def test_lines_are_counted_inside_of_parts_and_of_messages_that_were_forwarded():
    inner = "Content-Type: multipart/mixed; boundary=C\n\nNone sees this.\n--C\n\nDeep.\n\nDeeper.\n--C--\nNor this.\n"
    forwarded = "Content-Type: message/rfc822\n\nFrom: c@example.org\nSubject: Oil\n\nBuy\nit.\n"
    content = parts("mixed", "\n\nTop.\n", inner, forwarded, "\nLast.\n")
    quotes = ("Top.", "Deep.", "Deeper.", "From: c@example.org", "Buy", "it.", "Last.")
    assert lines_of(read(content), *quotes) == lines_in(content, *map(str.encode, quotes))


def test_what_a_line_of_quoted_printable_says_is_cited_by_the_line_on_which_it_begins():
    text = b"One =\nand still =  \nthe same.=20\n\nTwo=0D=0A=\nThree=0AFour\n\nFive=3D\n"
    content = b"Subject: x\nContent-Transfer-Encoding: quoted-printable\n\n" + text
    quotes = ("One", "Two", "Three", "Four", "Five=")
    assert lines_of(read(content), *quotes) == lines_in(content, *(quote.encode().rstrip(b"=") for quote in quotes))


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_text_whose_lines_cannot_be_known_is_cited_by_the_line_on_which_it_begins(kind: str):
    sent = b64encode(b"<p>One.\n\n<p>Two.\n").decode()
    packed = f"Content-Type: text/{kind}\nContent-Transfer-Encoding: base64\n\n{sent}\n"
    content = parts("mixed", "\nTop.\n", packed, "\nLast.\n")
    lines = lines_in(content, b"Top.", sent[:9].encode(), sent[:9].encode(), b"Last.")
    assert lines_of(read(content), "Top.", "One.", "Two.", "Last.") == lines


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: x\rContent-Type: message/rfc822\r\rSubject: y\r\rText.",
        b"Subject: x\nContent-Type: message/rfc822\r\rSubject: y\r\rText.\n",
        b"Subject: x\nContent-Type: message/rfc822\nText.",
        b"Subject: x\nContent-Type: text/plain; charset=utf-7\n\n+AAoACgAKAAo- Text.",
        b"Subject: x\nContent-Type: text/plain; charset=utf-16\n\n" + "One.\n\nText.".encode("utf-16"),
        b"Subject: x\nContent-Type: multipart/mixed; boundary=B\n\n--B\n--B\n\n--B\nText.\n--B",
        b"Subject: x\nContent-Transfer-Encoding: quoted-printable\n\n=\n=\n=0A=0A=0A=0A=ZZ=\xff=",
        b"Subject: x\nFrom me\nText.\n",
    ],
)
def test_mangled_mail_is_cited_by_lines_that_its_file_has(content: bytes):
    reading = read(content)
    assert all(1 <= place.line <= content.count(b"\n") + 1 for place in reading.places)


MBOX = b"""From anna@example.org Mon May  5 23:30:00 2025
Subject: One

First.
>From here on it is dark.

From ben@example.org Tue May  6 08:00:00 2025
Subject: Two

Second.
From here on it is light in 2025.

From nobody
"""


def test_an_mbox_is_cited_by_message_and_line():
    reading = read(MBOX)
    assert [(place.label, place.line) for place in reading.places] == [
        *(("message 1", line) for line in (1, 4, 5)),
        *(("message 2", line) for line in (7, 10, 11, 13)),
    ]
    assert body(reading) == [
        "First.\nFrom here on it is dark.",
        "Second.\nFrom here on it is light in 2025.",
        "From nobody",
    ]
    assert [block.heading for block in reading.blocks] == [("One",), ("One",), ("Two",), ("Two",), ("Two",)]


def test_an_mbox_with_the_line_ends_of_mail_has_the_same_places():
    assert read(MBOX.replace(b"\n", b"\r\n")).places == read(MBOX).places


def test_a_message_is_found_and_says_where_it_stands(tmp_path: Path):
    third = b"\nFrom c@example.org Wed May  7 08:00:00 2025\nSubject: Bergen\n\nThe beacon stands in the harbour.\n"
    asked = "Where does the beacon stand in Bergen?"
    assert citation(tmp_path, "lights.mbox", MBOX + third, asked, "The beacon") == "message 3"


def test_messages_and_lines_are_counted_to_the_end_of_a_long_mbox():
    content = (MBOX + b"\n") * 20
    reading = read(content)
    place = place_at(reading.places, reading.text.rindex("Second."))
    line = content.count(b"\n", 0, content.rindex(b"Second.")) + 1
    assert place
    assert (place.label, place.line) == ("message 40", line)
