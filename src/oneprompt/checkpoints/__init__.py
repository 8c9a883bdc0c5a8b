"""Weights on disk: our own files, and public checkpoints from other makers."""
