"""Measured claims: ratios against a named peer, in one run."""
