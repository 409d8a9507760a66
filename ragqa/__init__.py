"""ragqa answers questions from a person's own documents, offline, with citations."""

import os

# The matrices here are small. Where other programs keep the cores busy, OpenBLAS's threads wait for each other: on two
# busy cores the product for one passage took 24 ms on two threads, 0.05 ms on one. NumPy reads this on import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# ONNX Runtime 1.32 (1.30 did not) writes an identifier into the user's cache when it is imported, starts a thread, and
# within seconds looks up its maker's host to report how it is used. It reads this on import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
