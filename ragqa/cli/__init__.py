"""The doors: each command parses, calls one function, renders."""
