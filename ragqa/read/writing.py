"""What writing in a language looks like: its letters and its commonest words, by which an encoding is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

LAST_LATIN = "\u024f"

_WESTERN = ("cp1252", "iso8859-15", "mac_roman", "cp850")
_CENTRAL = ("cp1250", "iso8859-2")
_TURKISH = ("cp1254",)
_BALTIC = ("cp1257",)
_CYRILLIC = ("cp1251", "koi8-r", "cp866", "mac-cyrillic")
_GREEK = ("cp1253", "iso8859-7")


@dataclass(frozen=True)
class Language:
    """A language that is written with an alphabet.

    Attributes:
        encodings: That its texts are in, where they are not in Unicode; the commonest first.
        letters: In small letters, all that are not ASCII.
        words: The commonest.
        rare: Those of the letters that few of its texts have: without its words they speak for another language.
    """

    name: str
    encodings: tuple[str, ...]
    letters: str
    words: frozenset[str]
    rare: frozenset[str] = frozenset()

    @property
    def is_latin(self) -> bool:
        return all(letter < LAST_LATIN for letter in self.letters)

    @cached_property
    def both_cases(self) -> frozenset[str]:
        return frozenset(self.letters + self.letters.upper())


def _language(name: str, encodings: tuple[str, ...], letters: str, words: str, rare: str = "") -> Language:
    return Language(name, encodings, letters, frozenset(words.split()), frozenset(rare + rare.upper()))


_FOREIGN = "àáâäãåæçèéêëìíîïñòóôöõøœùúûüß"  # letters in names of Western Europe
_RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюя"

ALPHABETS = (  # of two that fit a text equally well, the first is taken
    _language(
        *("English", ("cp1252", "iso8859-15", "mac_roman"), _FOREIGN),
        "the of and to in is that for it with as was on are be this by not or from at an if can you have",
        rare=_FOREIGN,
    ),
    _language(
        *("German", _WESTERN, "äöüßé"),
        "der die und in den das von zu mit sich des auf für ist im dem nicht ein eine als auch es an wird sie wir bei",
    ),
    _language(
        *("French", _WESTERN, "àâæçéèêëîïôœùûüÿ"),
        "de la le et les des en un une du que est pour dans qui sur au par pas il ne ce se plus avec vous ou sont",
    ),
    _language(
        *("Spanish", _WESTERN, "áéíñóúü"),
        "de la que el en y los se del las un por con no una su para es al lo como más este son",
    ),
    _language(
        *("Portuguese", _WESTERN, "áâãàçéêíóôõúü"),
        "de que e o a do da em um para com não uma os no se na por mais as dos ou este como",
    ),
    _language(
        *("Italian", _WESTERN, "àèéìíîòóùú"),
        "di e il la che in un per è una sono del con non i le si da al della questo o dei come",
    ),
    _language(
        *("Dutch", _WESTERN, "áéèëïóöü"),
        "de het van een en in is dat op te zijn met voor niet die aan er om ook als deze of",
    ),
    _language(
        *("Swedish", _WESTERN, "åäöéü"),
        "och i att det som en på är av för med den till inte har de om ett var jag eller detta kan",
    ),
    _language(
        *("Danish", _WESTERN, "æøåé"),
        "og i at det er en til af på for med den de ikke som har et der om jeg eller denne kan",
    ),
    _language(
        *("Norwegian", _WESTERN, "æøåéòô"),
        "og i det på som er en til å for av at med har ikke den om et var jeg eller denne kan",
    ),
    _language(
        *("Finnish", _WESTERN, "äöåšž"),
        "ja on ei että se oli hän mutta ovat kun niin myös tai mukaan olla joka sekä ole voi tämä",
    ),
    _language(
        *("Icelandic", _WESTERN, "áðéíóúýþæö"),
        "og að í á er sem við um það til en var ekki með fyrir af hann eða þetta",
    ),
    _language(
        *("Catalan", _WESTERN, "àçèéíïòóúü·"),
        "de la i el que a en les per un del amb una els és al no aquest o",
    ),
    _language(
        *("Polish", _CENTRAL, "ąćęłńóśźż"),
        "w i na z do się nie to że o jest od za po przez jak oraz dla tym lub są być ten",
    ),
    _language(
        *("Czech", _CENTRAL, "áčďéěíňóřšťúůýž"),
        "a v se na je že o s z do i to k ve pro za by jako ale jsem nebo není tento",
    ),
    _language(
        *("Slovak", _CENTRAL, "áäčďéíĺľňóôŕšťúýž"),
        "a v sa na je že o s z do i to k vo pre za by ako ale som alebo nie tento",
        rare="ĺŕ",
    ),
    _language(
        *("Hungarian", _CENTRAL, "áéíóöőúüű"),
        "a az és hogy nem is egy ez volt meg csak mint de vagy ki van el kell ezt",
    ),
    _language(
        *("Romanian", _CENTRAL, "ăâîşţ"),
        "de şi în a la cu pe care din o un nu mai este să sau pentru acest ca",
    ),
    _language(
        *("Croatian", _CENTRAL, "čćđšž"),
        "i je u na se da za su od s kao ne ali ili ovaj nije biti",
    ),
    _language(
        *("Slovene", _CENTRAL, "čšžćđ"),
        "in je na za se da so v ki ne z pri tudi po ali ta ni to",
    ),
    _language(
        *("Turkish", _TURKISH, "çğıöşüâîİ"),
        "ve bir bu da de için ile olarak olan en çok daha ne gibi var veya değil",
    ),
    _language(
        *("Lithuanian", _BALTIC, "ąčęėįšųūž"),
        "ir yra kad į su iš bet kaip tai ne apie buvo arba šis nėra turi",
    ),
    _language(
        *("Latvian", _BALTIC, "āčēģīķļņšūž"),
        "un ir no ar par uz kas ka bet tas lai vai nav šis jābūt",
    ),
    _language(
        *("Estonian", _BALTIC, "äöõüšž"),
        "ja on ei et ka see oli kui aga mis või ning peab",
    ),
    _language(
        *("Russian", _CYRILLIC, f"{_RUSSIAN}ё"),
        "и в не на что он с как это по но из у за от к для его так или все был а о бы",
    ),
    _language(
        *("Ukrainian", ("cp1251", "koi8-u"), "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
        "і в на що не з до та це у за як від про його для або й є",
    ),
    _language(
        *("Bulgarian", ("cp1251",), _RUSSIAN),
        "на и да се от за е в не с че са по като или това тази този",
    ),
    _language(
        *("Serbian", ("cp1251",), "абвгдђежзијклљмнњопрстћуфхцчџш"),
        "и у је да на се за су од не или овај није",
    ),
    _language(
        *("Greek", _GREEK, "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"),
        "και το η να του της με για από που στο είναι την τα οι τον ή δεν ο σε",
    ),
    _language(
        *("Hebrew", ("cp1255",), "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
        "של את על לא הוא זה עם גם כי אל היא או אם",
    ),
    _language(
        *("Arabic", ("cp1256",), "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيـًٌٍَُِّْ"),
        "في من على أن إلى التي هذا عن ما مع كان لا هذه أو و غير هو",
    ),
)


@dataclass(frozen=True, slots=True)
class Script:
    """Writing with thousands of characters: the commonest make up a good part of any text."""

    name: str
    encodings: tuple[str, ...]
    common: frozenset[str]


_KANA = [chr(n) for n in (*range(0x3041, 0x3094), *range(0x30A1, 0x30FB), 0x30FC)]

SCRIPTS = (
    Script("Japanese", ("cp932", "euc_jp"), frozenset(_KANA)),
    Script(
        "Chinese",
        ("gb18030",),
        frozenset(
            "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行"
            "所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实请文页名字数"
        ),
    ),
    Script(
        "Chinese",
        ("big5hkscs",),
        frozenset(
            "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行"
            "所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實請文頁名字數"
        ),
    ),
    Script(
        "Korean",
        ("cp949",),
        frozenset(
            "이다는을에의가고하지로도기를사한은해어리자시라나대수인그있것과서들만으보아여니스일정전원제부주장없습세요거오할면"
        ),
    ),
)
