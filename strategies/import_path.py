"""What a campaign file names by its import path. It is code: name only what you trust."""

import importlib
from typing import Annotated, Any

from pydantic import Field

from pools.errors import UsageError

ImportPath = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.\w+)*[.:][A-Za-z_]\w*$")]
"""`package.module:name`, or `package.module.name`."""


def import_named(path: str, what: str) -> Any:  # noqa: ANN401 - whatever has the name
    """Import what has a path.

    Args:
        path: `package.module:name`, or `package.module.name`.
        what: it is meant to be, in words, for the error.

    Raises:
        UsageError: there is none.
    """
    module_name, _, name = path.replace(":", ".").rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise UsageError(
            f"{what} {path!r} cannot be imported: {type(error).__name__}: {error}; give the "
            "package.module:name of one that is importable where the campaign runs: in its "
            "working directory, or in a directory that PYTHONPATH names"
        ) from error
    if name not in vars(module):
        public = sorted(each for each in vars(module) if not each.startswith("_"))
        raise UsageError(
            f"{what} {path!r} cannot be imported: the module {module_name} has no {name!r}; it "
            f"has {', '.join(public) or 'nothing'}"
        )
    return vars(module)[name]
