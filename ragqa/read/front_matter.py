"""What stands before a Markdown document about it: YAML between lines of `---`, or TOML between lines of `+++`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ragqa.read.about import About, date_of, tags_of, title_of

MOST_YAML = 32 * 2**10  # characters; of what is longer, or deeper, the parsers' time would grow with its square
MOST_TOML = 8 * 2**10
DEEPEST = 16  # lists and maps within each other

_FENCED = re.compile(r"(---|\+\+\+)[^\S\n]*\n((?:(?!\1[^\S\n]*(?:\n|\Z)).*\n)*)\1[^\S\n]*(?:\n|\Z)")
_TAGS = ("tags", "tag", "keywords", "categories", "category")
_DATES = ("date", "published", "created", "updated", "modified")  # the first that tells a day
_NOTHING = ("", "~", "null")


class FrontMatter(NamedTuple):
    """What a document begins with.

    Attributes:
        end: Offset at which the document itself begins; 0 where there is no front matter.
    """

    end: int
    about: About


def front_matter(text: str) -> FrontMatter:
    """The front matter of a text; what does not parse, or tells no fields, is none.

    The document's date is what it says under `date`, else under `published`, `created`, `updated` or `modified`.
    """
    found = _FENCED.match(text)
    fields = (_yaml if found[1] == "---" else _toml)(found[2]) if found else None
    if not found or fields is None:
        return FrontMatter(0, About())
    told = {str(key).strip().lower(): value for key, value in fields.items()}
    dates = (date_of(_text(told.get(key))) for key in _DATES)
    tags = (tag for key in _TAGS for tag in _words(told.get(key)))
    return FrontMatter(
        found.end(), About(title_of(_text(told.get("title"))), tags_of(tags), next(filter(None, dates), ""))
    )


def _yaml(text: str) -> Mapping[object, object] | None:
    """YAML's fields, every value a text, a list or a map; None where it has none, or refers to parts of itself."""
    import yaml

    if len(text) > MOST_YAML:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CBaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
                return None
        fields = yaml.load(text, Loader=yaml.CBaseLoader)  # makes nothing but texts, lists and maps
    except (yaml.YAMLError, ValueError):
        return None
    if fields is None:
        return {}
    return fields if isinstance(fields, dict) else None


def _toml(text: str) -> Mapping[str, object] | None:
    try:
        return tomllib.loads(text.replace("\r\n", "\n")) if len(text) <= MOST_TOML else None
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str:
    return "" if isinstance(value, dict | list) or value is None or str(value).lower() in _NOTHING else str(value)


def _words(value: object) -> Iterable[str]:
    """Of a list its texts, of a text what its commas part."""
    if isinstance(value, list):
        return [_text(one) for one in value]
    return _text(value).split(",")
