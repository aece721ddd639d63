"""A campaign on disk and the phases on it, as plain functions that know nothing of Prefect."""
