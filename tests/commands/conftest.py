"""Fixtures of the commands."""

from fixtures.generate_command import generate, jobs, run

__all__ = ["generate", "jobs", "run"]
