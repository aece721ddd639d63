"""Tags of flow runs, by which a person filters them: `solverloop`, the campaign, the step.

Only flow runs have tags. A task run with a tag asks the server for a slot before it begins, once
more for each sample, and could not begin without a server.
"""

from functools import partial

from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from tasks.best_effort import best_effort


def tag_run(*tags: str) -> None:
    """Add tags to the flow run that calls, beside those that it has from its deployment."""
    best_effort("the tags of the run", partial(_tag, ["solverloop", *tags]))


def _tag(tags: list[str]) -> None:
    kept = dict.fromkeys([*flow_run.tags, *tags])
    get_client(sync_client=True).update_flow_run(flow_run.id, tags=list(kept))
