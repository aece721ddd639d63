"""Figures and a page that a person can look at, from a campaign's directory."""
