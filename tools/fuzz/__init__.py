"""Fuzzing of the readers of untrusted files: damaged inputs are read, refused in a line, or show a fault."""
