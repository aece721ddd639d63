"""The phases as Prefect tasks: policy only."""
