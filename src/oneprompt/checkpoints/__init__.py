"""Weights on disk: our own files, and public checkpoints of other makers."""
