"""The schedules, one module a structure: who computes which block, in which order, with what in between.

A module has ``lower(k: Pieces) -> tuple[Buffer, ...]``: it writes the kernel's body with the pieces and returns the workspace it needs.
"""
