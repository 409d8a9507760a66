"""The one room that opens a connection: downloading a model, because its user asked for it."""

from __future__ import annotations

import sys
from pathlib import Path

from ragqa.catalogue import Model
from ragqa.errors import ModelError
from ragqa.files import sha256_of


def download(model: Model, target: Path) -> None:
    """Download a model into a folder, going on where an earlier try stopped, and verify it.

    Raises:
        ModelError: The hub cannot be reached, or a file is not what the hub says it is.
    """
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
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
