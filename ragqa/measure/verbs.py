"""English verbs and their forms, as far as turning questions into statements needs them."""

from __future__ import annotations

import re

from ragqa.verify.words import IRREGULAR

_REGULAR = """
abandon absorb accept accompany accomplish account accuse achieve acquire act adapt add address adhere adjust admit
adopt advance advise advocate affect agree aid aim allow alter amend announce answer appear apply appoint approach
approve argue arrange arrest arrive ask assassinate assemble assert assign assist associate assume attach attack
attempt attend attract attribute authorize avoid ban base battle belong benefit blame block bomb bombard borrow
broadcast call campaign cancel capture care carry cause cease celebrate challenge change charge circulate cite claim
classify climb close coin collaborate collapse collect collide combine command commit communicate compare compete
complain complete compose compress comprise compute concentrate concern conclude condemn conduct connect conquer
consider consist construct consume contact contain continue contract contribute control convert convince cooperate
cover crash create criticize cross crush cultivate damage date debut decide declare decline decrease defeat defend
define deliver demand demonstrate denounce deny depart depend deploy deposit derive describe design desire destroy
determine develop devise die differ direct disagree disappear discover discuss dismiss disperse display dispute
dissolve distinguish distribute divide divorce dominate donate double drop earn elect eliminate emerge emigrate employ
enable encounter encourage end endorse enforce engage engrave enhance enjoy enlist enroll ensure enter entertain
escape establish estimate evacuate evolve examine exceed exchange exclude execute exhibit exist expand expect
experience explain explode explore export expose express extend face fail favor fear feature fill finance finish fire
fit flow focus follow force form found fund gain gather generate govern graduate grant guarantee guard guide handle
happen harm hate head help hire host house identify ignore immigrate implement import impose improve include increase
indicate infect inflict influence inform inherit inhibit injure innovate inspire install intend interact introduce
invade invent invest investigate invite involve issue join judge jump justify kidnap kill label lack land last laugh
launch legalize license like limit link list listen live load locate look love lower maintain manage manufacture mark
marry match measure mention merge migrate mine modify move murder name negotiate nominate note notice number obey
object observe obtain occupy occur offer open operate oppose order organize originate overlap own paint participate
pass patent perform permit persuade place plan play point possess practice praise preach predict prefer prepare
present preserve press prevent proclaim produce prohibit promise promote prompt propose protect protest prove provide
publish pull purchase pursue push qualify question raise range reach react realize rebuild receive recognize recommend
record recruit reduce refer reflect refuse regain regard register regulate reign reject relate release relieve rely
remain remember remove rename renounce repeal replace replicate report represent request require rescue research
reside resign resist resolve respond rest restore restrict result resume retain retire retreat return reveal reverse
revise revolt reward rule sail save score search seem seize select separate serve settle share ship sign signal
signify smoke solve sound sponsor start starve state stay stop store strengthen stress study submit succeed suffer
suggest summon supply support suppress surrender surround survive suspend switch talk target tend term terminate test
thank threaten tour trace track trade train transfer transform translate transmit transport travel treat trigger try
turn unify unite urge use utilize vary view violate visit vote wait want warn waste watch weigh work worship yield
embed index split tokenize rank sort
"""


def _past_of(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ied"
    if (
        re.fullmatch(r"[^aeiou]*[aeiou][bdglmnprt]|.*mit|kidnap|(?:re|pre|trans)fer|control|occur", base)
        and base != "limit"
    ):
        return base + base[-1] + "ed"
    return base + "ed"


def _third_of(base: str) -> str:
    if base in ("be", "have"):
        return {"be": "is", "have": "has"}[base]
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ies"
    return base + ("es" if base.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")


PAST: dict[str, str] = {base: _past_of(base) for base in _REGULAR.split()}
_PARTICIPLE: dict[str, str] = dict(PAST)
for _forms in IRREGULAR.split(";"):
    _base, _past, *_rest = _forms.split()
    PAST[_base], _PARTICIPLE[_base] = _past, (_rest or [_past])[0]
PARTICIPLES = frozenset(_PARTICIPLE.values())
THIRD: dict[str, str] = {base: _third_of(base) for base in PAST}
_BASE = {form: base for forms in (THIRD, PAST) for base, form in forms.items()}


def base_of(word: str) -> str:
    """The base of a past or third-person form: `won` → `win`; empty when it is none that is known."""
    return _BASE.get(word, "")


def is_participle(word: str) -> bool:
    """Whether a word reads like a past participle: `elected`, `known`."""
    return word in PARTICIPLES or (len(word) > 4 and word.endswith("ed") and word.islower())
