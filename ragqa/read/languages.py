"""Programming languages that are read by their grammars: one row each, in the words of its grammar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Language:
    """A language, and which nodes of its trees are what.

    Attributes:
        name: What `type:` in a filter calls it.
        suffixes: Of its files' names, in lower case.
        grammar: The package, and the function in it that gives the grammar.
        dialects: Suffixes with a grammar of their own.
        definitions: Functions, types and the like: each stands by itself, under its name.
        containers: Definitions whose own definitions stand by themselves, where the whole is long.
        wrappers: What belongs to a definition inside it: decorators, `export`, `template`.
        open: What is looked into for definitions, but is none: conditions of the preprocessor.
        attached: What belongs to a definition right below it: comments, attributes.
    """

    name: str
    suffixes: tuple[str, ...]
    grammar: str
    definitions: frozenset[str]
    containers: frozenset[str]
    wrappers: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    attached: frozenset[str] = frozenset({"comment"})
    dialects: Mapping[str, str] = field(default_factory=dict)

    def grammar_of(self, suffix: str) -> tuple[str, str]:
        """Package and function for files of a suffix."""
        package, function = self.dialects.get(suffix, self.grammar).split()
        return package, function


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_JAVASCRIPT = "function_declaration generator_function_declaration method_definition class_declaration"
_JAVASCRIPT_VALUES = "variable_declarator assignment_expression"
_JAVASCRIPT_AROUND = "export_statement lexical_declaration variable_declaration expression_statement"
_TYPESCRIPT = "abstract_class_declaration interface_declaration type_alias_declaration enum_declaration internal_module"
_JAVA = "class_declaration interface_declaration enum_declaration record_declaration"
_JAVA_METHODS = "method_declaration constructor_declaration compact_constructor_declaration annotation_type_declaration"
_RUST = "function_item struct_item enum_item union_item trait_item impl_item mod_item macro_definition"
_C = "function_definition type_definition struct_specifier union_specifier enum_specifier preproc_function_def"
_PREPROCESSOR = "preproc_if preproc_ifdef preproc_else preproc_elif linkage_specification declaration_list"

LANGUAGES = (
    Language(
        name="python",
        suffixes=(".py", ".pyi"),
        grammar="tree_sitter_python language",
        definitions=_words("function_definition class_definition"),
        containers=_words("class_definition"),
        wrappers=_words("decorated_definition"),
        open=_words("if_statement else_clause elif_clause try_statement except_clause with_statement block"),
    ),
    Language(
        name="javascript",
        suffixes=(".js", ".jsx", ".mjs", ".cjs"),
        grammar="tree_sitter_javascript language",
        definitions=_words(f"{_JAVASCRIPT} {_JAVASCRIPT_VALUES} field_definition"),
        containers=_words("class_declaration"),
        wrappers=_words(_JAVASCRIPT_AROUND),
        attached=_words("comment decorator"),
    ),
    Language(
        name="typescript",
        suffixes=(".ts", ".mts", ".cts", ".tsx"),
        grammar="tree_sitter_typescript language_typescript",
        dialects={".tsx": "tree_sitter_typescript language_tsx"},
        definitions=_words(f"{_JAVASCRIPT} {_TYPESCRIPT} {_JAVASCRIPT_VALUES} public_field_definition"),
        containers=_words("class_declaration abstract_class_declaration internal_module"),
        wrappers=_words(f"{_JAVASCRIPT_AROUND} ambient_declaration"),
        attached=_words("comment decorator"),
    ),
    Language(
        name="go",
        suffixes=(".go",),
        grammar="tree_sitter_go language",
        definitions=_words("function_declaration method_declaration type_spec"),
        containers=frozenset(),
        wrappers=_words("type_declaration"),
    ),
    Language(
        name="rust",
        suffixes=(".rs",),
        grammar="tree_sitter_rust language",
        definitions=_words(_RUST),
        containers=_words("trait_item impl_item mod_item"),
        attached=_words("line_comment block_comment attribute_item"),
    ),
    Language(
        name="java",
        suffixes=(".java",),
        grammar="tree_sitter_java language",
        definitions=_words(f"{_JAVA} {_JAVA_METHODS}"),
        containers=_words(_JAVA),
        open=_words("enum_body_declarations"),
        attached=_words("line_comment block_comment"),
    ),
    Language(
        name="c",
        suffixes=(".c", ".h"),
        grammar="tree_sitter_c language",
        definitions=_words(_C),
        containers=frozenset(),
        open=_words(_PREPROCESSOR),
    ),
    Language(
        name="cpp",
        suffixes=(".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx", ".ipp"),
        grammar="tree_sitter_cpp language",
        definitions=_words(f"{_C} class_specifier namespace_definition concept_definition"),
        containers=_words("class_specifier struct_specifier namespace_definition"),
        wrappers=_words("template_declaration"),
        open=_words(_PREPROCESSOR),
    ),
)
BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}

PLAIN: Mapping[str, tuple[str, ...]] = {
    "shell": (".sh", ".bash", ".zsh", ".fish", ".ksh", ".ps1", ".bat"),
    "ruby": (".rb", ".rake", "gemfile", "rakefile"),
    "php": (".php",),
    "csharp": (".cs",),
    "kotlin": (".kt", ".kts"),
    "swift": (".swift",),
    "scala": (".scala",),
    "dart": (".dart",),
    "r": (".r",),
    "julia": (".jl",),
    "lua": (".lua",),
    "perl": (".pl", ".pm"),
    "haskell": (".hs",),
    "elixir": (".ex", ".exs"),
    "clojure": (".clj", ".cljs"),
    "css": (".css", ".scss", ".sass", ".less"),
    "vue": (".vue", ".svelte"),
    "make": (".mk", ".cmake", "makefile", "gnumakefile", "justfile"),
    "docker": (".dockerfile", "dockerfile", "containerfile"),
}
"""Languages that are read without a grammar, and the suffixes or whole names of their files."""

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "sql": (".sql",),
    "toml": (".toml",),
    "yaml": (".yaml", ".yml"),
    "ini": (".ini", ".cfg", ".conf", ".properties"),
    "xml": (".xml", ".xsd", ".xsl", ".xslt"),
    "log": (".log",),
}
"""What programs are told and what they say: long lines are no sign that nobody reads them."""

MARKED: Mapping[str, tuple[str, ...]] = {
    "tex": (".tex", ".ltx", ".bib"),
    "org": (".org",),
    "asciidoc": (".adoc", ".asciidoc"),
}
"""Prose with marks in it that a reader passes over: read as text."""
