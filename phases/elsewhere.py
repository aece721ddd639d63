"""A campaign opened on a machine that others share it with, such as a worker."""

import socket
from pathlib import Path

from phases.campaign import Campaign
from pools.errors import CampaignError


def opened_on_worker(directory: Path) -> Campaign:
    """Open a campaign, or say that this machine does not see its directory.

    Raises:
        CampaignError: it does not.
        UsageError: the directory is no campaign's.
    """
    if not directory.is_dir():
        raise CampaignError(
            f"the worker on {socket.gethostname()} cannot see {directory}; keep campaigns on a "
            "file system that every worker mounts at the same place, then run this again"
        )
    return Campaign.open(directory)
