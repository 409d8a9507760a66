"""The patterns of ignore files, read as git reads them, byte by byte.

Those without a star are looked up. All others become one regular expression that takes a time that grows with the path
times the patterns, whatever a stranger wrote: of the text between two stars only the first place where it fits has to
be tried, so it stands in an atomic group, and nothing is ever tried again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

_BOM = b"\xef\xbb\xbf"
_FOLDER = b"\0"  # stands behind the path of a folder; no name holds it
_MOST = 2**16  # bytes of patterns that are no plain names; more would take long for every file
_STAR, _ALL, _ONE, _NONE = rb"[^/\0]*", rb"[^\0]*", rb"[^/\0]", rb"(?!)"
_DEEP = {b"/": rb"(?:.*?/)??", rb"\/": b".*?/"}  # what two stars before a slash stand for
_KINDS = {
    b"alnum": b"0-9A-Za-z",
    b"alpha": b"A-Za-z",
    b"blank": rb"\t\x20",
    b"cntrl": rb"\x01-\x1f\x7f",
    b"digit": b"0-9",
    b"graph": b"!-~",
    b"lower": b"a-z",
    b"print": rb"\x20-~",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb"\t\n\r\x20",
    b"upper": b"A-Z",
    b"xdigit": b"0-9A-Fa-f",
}
_PLAIN = re.compile(rb"[^*?\[\\]*")
_TOKEN = re.compile(rb"(?P<stars>\*+)(?P<slash>\\?/|\Z)?|(?P<any>\?)|(?P<set>\[)|\\?(?P<byte>.)", re.DOTALL)
_ELEMENT = re.compile(rb"\[:(?P<kind>[^\]]*):\]|\\?(?P<low>.)(?:-(?!\])\\?(?P<high>.))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What one line says.

    Attributes:
        ignores: Whether what fits is left out, or taken after all.
        anywhere: Whether the name alone has to fit, or the path from the file's own folder.
        folders: Whether it holds for folders alone.
    """

    pattern: bytes
    ignores: bool
    anywhere: bool
    folders: bool

    @property
    def is_plain(self) -> bool:
        return bool(_PLAIN.fullmatch(self.pattern))

    @property
    def key(self) -> bytes:
        return b"/" * (not self.anywhere) + self.pattern + _FOLDER * self.folders


class Patterns:
    """Those of the ignore files of one folder; what stands in a later one counts more."""

    def __init__(self, contents: Iterable[bytes]) -> None:
        rules = [rule for content in contents for rule in _rules(content)]
        rules.reverse()  # the last one that fits decides, so it is tried first
        self._ignores: list[bool] = []  # of each run of rules that say the same
        self._plain: dict[bytes, int] = {}  # the first run that names it
        self._groups: list[int] = []  # the run that each group of the expression stands for
        starred, left = list[bytes](), _MOST
        for run, (ignores, same) in enumerate(groupby(rules, lambda rule: rule.ignores)):
            others = list[_Rule]()
            for rule in same:
                if rule.is_plain:
                    self._plain.setdefault(rule.key, run)
                elif (left := left - len(rule.pattern)) >= 0:
                    others.append(rule)
            if others:
                starred.append(_any(others) + rb"\Z()")
                self._groups.append(run)
            self._ignores.append(ignores)
        self._starred = re.compile(b"|".join(starred) or _NONE, re.DOTALL)

    def ignores(self, path: bytes, *, folder: bool) -> bool | None:
        """Whether a path, seen from the files' own folder, is left out; None where no pattern fits it."""
        keys = [path[path.rfind(b"/") + 1 :], b"/" + path]
        if folder:
            keys += [key + _FOLDER for key in keys]
        runs = [self._plain[key] for key in keys if key in self._plain]
        found = self._starred.match(path + _FOLDER * folder)
        if found and found.lastindex:
            runs.append(self._groups[found.lastindex - 1])
        return self._ignores[min(runs)] if runs else None


def _rules(content: bytes) -> Iterator[_Rule]:
    for line in content.removeprefix(_BOM).split(b"\n"):
        pattern = _trimmed(line.removesuffix(b"\r").partition(b"\0")[0])
        if pattern and not pattern.startswith(b"#"):
            bare = pattern.removeprefix(b"!")
            place = bare.removesuffix(b"/")
            yield _Rule(place.removeprefix(b"/"), pattern == bare, b"/" not in place, place != bare)


def _trimmed(line: bytes) -> bytes:
    """Without the spaces at its end, but for one that a backslash stands before."""
    bare = line.rstrip(b" ")
    escaped = (len(bare) - len(bare.rstrip(b"\\"))) % 2
    return line[: len(bare) + escaped]


def _any(rules: Iterable[_Rule]) -> bytes:
    """What fits one of some patterns."""
    names, paths = list[bytes](), list[bytes]()
    for rule in rules:
        with suppress(_FitsNothing):
            regex = _regex(rule.pattern) + (_FOLDER if rule.folders else b"\0?")
            (names if rule.anywhere else paths).append(regex)
    return b"(?:(?>(?:.*/)?)(?:%b)|%b)" % (b"|".join(names) or _NONE, b"|".join(paths) or _NONE)


def _regex(pattern: bytes) -> bytes:
    stretches = [(b"", [b""])]  # what leads to each of them, and what stands between its stars
    plain, at = _PLAIN.match(pattern), 0
    while token := _TOKEN.match(pattern, at):
        at, texts = token.end(), stretches[-1][1]
        # Git reads two stars as folders also where only plain letters stand before them.
        aligned = (plain and token.start() <= plain.end()) or pattern[: token.start()].endswith(b"/")
        if not token["stars"]:
            atom, at = _atom(pattern, token)
            texts[-1] += atom
        elif len(token["stars"]) == 1 or token["slash"] is None or not aligned:
            at = token.end("stars")
            texts.append(b"")
        elif token["slash"]:
            stretches.append((_DEEP[token["slash"]], [b""]))
        else:
            texts[-1] += _ALL
    *fixed, (lead, last) = stretches
    return b"".join(b"(?>%b%b)" % (lead, _between(texts)) for lead, texts in fixed) + lead + _between(last)


def _between(texts: list[bytes]) -> bytes:
    first, *middle = texts
    last = _STAR + middle.pop() if middle else b""
    return first + b"".join(b"(?>%b?%b)" % (_STAR, text) for text in middle) + last


def _atom(pattern: bytes, token: re.Match[bytes]) -> tuple[bytes, int]:
    """What one byte has to fit, and where it ends."""
    if token["set"]:
        return _set(pattern, token.end())
    if token[0] == b"\\":
        raise _FitsNothing
    return re.escape(token["byte"]) if token["byte"] else _ONE, token.end()


def _set(pattern: bytes, start: int) -> tuple[bytes, int]:
    """The same of a set whose bracket opens before `start`."""
    negated = pattern[start : start + 1] in (b"!", b"^")
    start = at = start + negated
    parts = [rb"\0/" if negated else b""]
    while at == start or pattern[at : at + 1] != b"]":
        element = _ELEMENT.match(pattern, at)
        if not element or element["kind"] not in (None, *_KINDS):
            raise _FitsNothing
        at = element.end()
        parts.append(_KINDS[element["kind"]] if element["low"] is None else _range(element["low"], element["high"]))
    return (b"[^%b]" if negated else rb"(?![\0/])[%b]") % b"".join(parts), at + 1


def _range(low: bytes, high: bytes | None) -> bytes:
    return rb"\x%02x" % low[0] + (rb"-\x%02x" % high[0] if high and high >= low else b"")


class _FitsNothing(Exception):
    """A pattern with a backslash before nothing, or a set that never ends or names letters that there are not."""
