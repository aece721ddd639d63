"""Samples to prediction: the learners, their training and their checkpoints."""
