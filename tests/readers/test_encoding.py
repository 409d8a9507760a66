"""Bytes in every encoding that people's files are in, and what is no text. Faults 13, 14 and 15."""

from __future__ import annotations

import codecs
import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.errors import BadInput
from ragqa.read.guess import guess
from ragqa.read.text import decode

TEXTS = {  # a line or two, as a short note has
    "fr": "Le café est fermé jusqu’à la fin de l’été, mais la boulangerie est ouverte.",
    "de": "Die Brücke über den Fluss ist für Fußgänger gesperrt. Näheres steht „unten“.",
    "es": "El niño está en la montaña con su abuela y no volverá hasta mañana.",
    "pl": "Rower stoi w piwnicy, a klucz do niego leży na półce, gdzie zawsze był.",
    "cs": "Kolo je ve sklepě a klíč leží na poličce, kde byl vždycky.",
    "hu": "A kulcs a polcon van, és nem kell hozzá semmi más, mert így volt mindig is.",
    "tr": "Anahtar rafta duruyor ve bisiklet için bir kilit daha gerekiyor, çünkü eskisi kırıldı.",
    "ru": "Ключ лежит на полке, а велосипед стоит в подвале, как и всегда.",
    "uk": "Ключ лежить на полиці, а велосипед стоїть у підвалі, як і завжди.",
    "el": "Το κλειδί είναι στο ράφι και το ποδήλατο στο υπόγειο, όπως πάντα.",
    "he": "המפתח של האופניים נמצא על המדף, הוא לא נעלם.",
    "ar": "المفتاح على الرف في القبو، لا أحد يعرف من أين هذا المفتاح.",
    "ja": "自転車の鍵は棚の上にあります。地下室にはありません。",
    "zh": "自行车的钥匙在架子上，不在地下室里。我们明天去拿。",
    "zh-tw": "自行車的鑰匙在架子上，不在地下室裡。我們明天去拿。",
    "ko": "자전거 열쇠는 선반 위에 있고 지하실에는 없습니다. 내일 가지고 가겠습니다.",
}
LEGACY = [
    *(("fr", "cp1252"), ("de", "cp1252"), ("es", "cp1252"), ("es", "latin-1"), ("de", "mac_roman"), ("pl", "cp1250")),
    *(("pl", "iso8859-2"), ("cs", "cp1250"), ("hu", "cp1250"), ("tr", "cp1254"), ("ru", "cp1251"), ("ru", "koi8-r")),
    *(("ru", "cp866"), ("uk", "cp1251"), ("uk", "koi8-u"), ("el", "cp1253"), ("el", "iso8859-7"), ("he", "cp1255")),
    *(("ar", "cp1256"), ("ja", "shift_jis"), ("ja", "euc_jp"), ("ja", "iso2022_jp"), ("zh", "gb18030"), ("zh", "gbk")),
    *(("zh-tw", "big5"), ("ko", "euc_kr")),
]
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("language", TEXTS)
def test_unicode_is_read_as_it_is(language: str, encoding: str):
    assert decode("a", TEXTS[language].encode(encoding)) == (TEXTS[language], 0, ())


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE], ids=["utf-16-be", "utf-32-be"])
def test_big_endian_marks_are_known(mark: bytes):
    encoding = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    assert decode("a", mark + "naïve 漢字 👩".encode(encoding)) == ("naïve 漢字 👩", 0, ())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", TEXTS)
def test_utf16_without_a_mark_is_known_by_its_nuls(language: str, encoding: str):  # fault 13
    text = f"{TEXTS[language]}\n{TEXTS[language]} 2024\n"
    assert decode("a", text.encode(encoding)) == (text, 0, (f"read as {encoding}",))


@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_a_line_in_an_old_encoding_is_read_and_told(language: str, encoding: str):  # fault 13
    text = TEXTS[language].replace("’", "'") if encoding in ("latin-1", "iso8859-2") else TEXTS[language]
    decoded = decode("a", text.encode(encoding))
    assert (decoded.text, decoded.repaired) == (text, 0)
    assert decoded.notes[0].startswith("read as ")


@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_old_encodings_are_known_between_lines_of_ascii(language: str, encoding: str):
    text = "plain = 1\n" * 50 + TEXTS[language].replace("’", "'").replace("„", '"').replace("“", '"') + "\nx = 2\n" * 50
    assert decode("a", text.encode(encoding)).text == text


@pytest.mark.parametrize("text", ["café au lait", "naïve", "Müller", "5 €", "“So,” he said – and left.", "20 °C"])
def test_a_few_bytes_that_are_not_ascii_are_cp1252(text: str):
    assert decode("a", text.encode("cp1252")) == (text, 0, ("read as cp1252",))


SHORT = [  # texts with few words, or none that is common
    *("Die Rechnung beträgt 100 € für Müller.", "Prix: 50 € par personne", "Artikel;Preis\nApfel;5 €\nBirne;6 €\n"),
    *("Apfel;5 €\n" * 9, "A cœur ouvert pour 50 €, c'est déjà été payé", "Hinta on 5 € ja se on halpa, mutta ei hyvä."),
    *("A ação não é só o começo: você está em São Paulo. 10 €", "Hyvää päivää", "Šakki on hyvä.", "Får får får?"),
    *(
        "DÉCRET N° 5 À ÉTÉ",
        "ÜBERSICHT\nMÜLLER, KÖLN\nPRÜFUNG BESTÄTIGT\n",
        "INFORMACIÓN AL PÚBLICO\nESPAÑA\nEDICIÓN Nº 5\n",
    ),
    *(
        "MÜLLER STRAßE",
        "RÉPUBLIQUE FRANÇAISE\nARRÊTÉ RELATIF À LA SÉCURITÉ",
        "Temp: 20 °C ± 0.5, area 5 m², µ = 3, 10 £, § 5\n",
    ),
    *("©Microsoft", "siehe §Absatz 5", "Šakki ja džonkki."),
    "Vorname;Name;Ort\nJürgen;Müller;Köln\nBjörn;Schäfer;Düsseldorf\nKäthe;Weiß;Nürnberg\n",
    "Nombre;Ciudad\nJosé;Málaga\nÍñigo;Cádiz\nBegoña;A Coruña\n",
    "Namn;Stad\nÅsa;Malmö\nBjörn;Växjö\nGöran;Örebro\n",
    "Prénom;Ville\nHélène;Orléans\nFrançois;Besançon\nÉlodie;Saint-Étienne\n",
    "Name;City\nJosé;Málaga\nMüller;Köln\nÅsa;Malmö\nFrançois;Besançon\nSøren;Rønne\n",
]


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-15"])
@pytest.mark.parametrize("text", SHORT)
def test_short_texts_of_western_europe_are_read_and_their_euros_with_them(text: str, encoding: str):  # fault 13
    assert decode("a", text.encode(encoding))[:2] == (text, 0)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Név;Város\nGábor;Győr\nŐze;Szűcs\nÁgnes;Pécs\n", "cp1250"),
        ("Jméno;Město\nTomáš;Plzeň\nJiří;Brno\nŘehoř;Ústí\nŽofie;Kroměříž\n", "cp1250"),
        ("Imię;Miasto\nŁukasz;Łódź\nMałgorzata;Gdańsk\nŚwiętosława;Poznań\n", "iso8859-2"),
        ("Ad;Şehir\nİbrahim;İstanbul\nGülşah;Muğla\nÇağrı;Iğdır\n", "cp1254"),
        ("Ačiū už žinutę, susitiksime rytoj.", "cp1257"),
        ("Фамилия;Город\nИванов;Москва\nПетров;Казань\nСидорова;Тула\n", "cp1251"),
        ("Όνομα;Πόλη\nΓιώργος;Αθήνα\nΜαρία;Πάτρα\n", "cp1253"),
        ("The setting is on page 5. Ключ лежит на полке, а велосипед стоит в подвале.", "koi8-r"),
    ],
)
def test_lists_of_names_are_not_read_in_the_encoding_of_another_script(text: str, encoding: str):
    assert decode("a", text.encode(encoding))[:2] == (text, 0)


def test_a_word_of_two_signs_that_are_no_letters_is_not_guessed():
    assert guess("测试".encode("gb18030")) == ""


def test_an_encoding_that_nothing_speaks_for_is_not_guessed():  # fault 13
    thai = "กุญแจจักรยานอยู่บนชั้นวางไม่ได้อยู่ในห้องใต้ดิน"
    with pytest.raises(BadInput) as refused:
        decode("a", thai.encode("cp874"))
    assert refused.value.reason == "unknown encoding"


def test_of_an_unknown_encoding_what_is_ascii_is_read_where_it_is_nearly_all():
    content = b"The key is on the shelf, as it is every week. " * 4 + b"\x8d\x81\x9d\xd8"
    text, repaired, notes = decode("a", content)
    assert (text[:11], repaired, notes) == ("The key is ", 4, ("unknown encoding: read as ASCII",))
    assert text.endswith(" \ufffd\ufffd\ufffd\ufffd")


def test_utf8_with_a_few_broken_places_stays_utf8():  # faults 13, 15
    text, repaired, notes = decode("a", "naïve café à la carte ".encode() + b"caf\xe9" + " été".encode())
    assert (text, repaired, notes) == ("naïve café à la carte caf\ufffd été", 1, ())


def test_a_few_broken_bytes_do_not_turn_the_rest_of_utf8_into_other_letters():  # fault 15
    assert decode("a", "ok é and more text ".encode() + b"\xff\xfe") == ("ok é and more text \ufffd\ufffd", 2, ())


def test_a_utf8_file_cut_in_the_middle_of_a_character_loses_that_character_only():
    assert decode("a", "漢字かな".encode()[:-1]) == ("漢字か\ufffd", 1, ())


def test_utf16_cut_in_the_middle_of_a_character_loses_that_character_only():
    assert decode("a", "漢字かな".encode("utf-16")[:-1]) == ("漢字か\ufffd", 1, ())


def test_surrogates_in_utf8_are_replaced():  # fault 15
    assert decode("a", b"naive \xed\xa0\x80 text, \xc3\xa9t\xc3\xa9 \xc3\xa0 \xc3\xa8").text.isprintable()


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 4,
        b"\x7fELF\x02\x01\x01" + b"\0" * 9 + bytes(range(128, 256)) * 3,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + random.Random(1).randbytes(4000),
        b"\xff\xd8\xff\xe0\0\x10JFIF" + random.Random(2).randbytes(4000),
        b"PK\x03\x04\x14\0\0\0\x08\0" + random.Random(3).randbytes(4000),
        random.Random(4).randbytes(100_000),
        b"".join(n.to_bytes(2, "little") for n in range(3000)),
        b"".join(n.to_bytes(4, "little") for n in range(3000)),
    ],
    ids=["bytes", "ELF", "PNG", "JPEG", "ZIP", "random", "numbers of 16 bits", "numbers of 32 bits"],
)
def test_what_is_no_text_is_refused(content: bytes):  # fault 14
    with pytest.raises(BadInput) as refused:
        decode("a", content)
    assert refused.value.reason == "binary"


@pytest.mark.parametrize("encoding", ["cp1252", "gb18030", "utf-16-le"])
def test_an_encoding_that_the_file_names_counts_where_it_can_be_read_so(encoding: str):
    assert decode("a", "été".encode(), encoding) == ("été", 0, ())
    assert decode("a", "été".encode("cp1252"), "latin-1") == ("été", 0, ())


@given(st.binary(max_size=400))
def test_no_bytes_bring_the_decoder_down(content: bytes):
    try:
        text, repaired, _notes = decode("a", content)
    except BadInput:
        return
    assert "\0" not in text
    assert text.encode("utf-8").decode("utf-8") == text
    assert repaired >= 0


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\r\t"), max_size=200))
def test_any_text_in_utf8_stays_what_it_is(text: str):
    assert decode("a", text.encode()) == (text.removeprefix("\ufeff"), 0, ())


def test_a_language_is_told_from_its_neighbours_in_the_same_encoding():
    assert guess("Größe und Länge sind für die Brücke zu klein.".encode("cp1252")) == "cp1252"
    assert guess("Klíč je příliš žluťoučký a nelze jej použít.".encode("cp1250")) == "cp1250"


@pytest.mark.timeout(20)
def test_a_long_line_of_ascii_takes_no_time():
    assert guess(b"caf\xe9\n" + b"a" * 2_000_000) == "cp1252"


@pytest.mark.parametrize("before", [5_000, 50])
@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_an_encoding_is_known_far_behind_in_a_long_line(language: str, encoding: str, before: int):
    told = TEXTS[language].replace("’", "'").replace("„", '"').replace("“", '"')
    text = "word " * (before // 5) + '"}, {"text": "' + told + " " + "word " * 5_000 + told
    assert decode("a", text.encode(encoding)).text == text


def test_one_sign_in_a_long_line_does_not_decide_alone():
    text = "Copyright © A, " + "word " * 3_000 + TEXTS["ru"]
    assert guess(text.encode("cp1251")) == "cp1251"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("content", [b"\xe9" * 2_000_000, b"a\xe9\n" * 500_000, b"\xa4\xa2" * 1_000_000])
def test_long_files_are_known_by_a_part(content: bytes):
    with contextlib.suppress(BadInput):
        decode("a", content)
