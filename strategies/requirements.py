"""What an object must have to be used, and a message that names it, what it lacks, and an example.

Asked before anything runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pools.errors import UsageError


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a kind of object must have.

    Attributes:
        what: the kind, in words.
        members: the names of what it must have.
        example: a small one that is right.
    """

    what: str
    members: tuple[str, ...]
    example: str


QUERY = Requirement(
    "a query strategy",
    ("sample", "max_samples"),
    "class Random:\n"
    "    max_samples = 10\n"
    "    def attach(self, driver): self.driver = driver\n"
    "    def sample(self, query_queue): query_queue.put(self.driver.unlabeled_pool[0])",
)
LABEL = Requirement(
    "a label strategy",
    ("label",),
    "class PassThrough:\n"
    "    def label(self, queue_to_label, serialize_queue):\n"
    "        while not queue_to_label.empty():\n"
    "            serialize_queue.put(queue_to_label.get())",
)
METROLOGY = Requirement(
    "a metrology strategy",
    ("compute",),
    "class Error:\n"
    "    def __init__(self): self.records = []\n"
    "    def attach(self, driver): self.driver = driver\n"
    "    def compute(self): self.records.append({'error': 0.1})",
)
TRAINING_POOL = Requirement(
    "a training pool",
    ("__len__", "__getitem__", "append"),
    "a list, or\n"
    "class Pool(torch.utils.data.Dataset):\n"
    "    def __init__(self): self.items = []\n"
    "    def __len__(self): return len(self.items)\n"
    "    def __getitem__(self, index): return self.items[index]\n"
    "    def append(self, item): self.items.append(item)",
)
READ_POOL = Requirement(
    "a pool", ("__len__", "__getitem__"), "a list, or a torch.utils.data.Dataset"
)
QUEUE = Requirement("a queue", ("put", "get", "empty"), "queue.Queue, or pools.durable_queue")
LEARNER = Requirement(
    "a learner",
    ("parameters", "train", "eval", "state_dict", "load_state_dict"),
    "any torch.nn.Module, such as torch.nn.Linear(2, 1)",
)


def require(thing: object, needed: Requirement, place: str) -> None:
    """Check that an object can be used.

    Args:
        thing: the object, or its class.
        needed: what it must have.
        place: where it was given, for the error.

    Raises:
        UsageError: it lacks something, or is a class where an object is needed.
    """
    if isinstance(thing, type) and needed is not QUEUE:
        raise UsageError(
            f"{place} is the class {thing.__qualname__} itself; give an object of it, as in "
            f"{thing.__qualname__}()"
        )
    if lacking := [name for name in needed.members if not hasattr(thing, name)]:
        kind = thing if isinstance(thing, type) else type(thing)
        raise UsageError(
            f"{place} is a {kind.__qualname__} and lacks {_listed(lacking)}: {needed.what} has "
            f"{_listed(needed.members)}. For example:\n{needed.example}"
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
