"""ragqa answers questions from a person's own documents, offline, with citations."""

__version__ = "0.1.0"
