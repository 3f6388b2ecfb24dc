"""Fixtures of the replay."""

from tests.include.pipeline.replay.replayed import history, writes

__all__ = ["history", "writes"]
