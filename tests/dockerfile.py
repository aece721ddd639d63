"""docker/Dockerfile as its instructions, stage by stage."""

import re
from dataclasses import dataclass

from compose_file import ROOT

PATH = ROOT / "docker" / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its word, what follows, and the stage that it is in."""

    word: str
    rest: str
    stage: str


def instructions() -> list[Instruction]:
    """Return the instructions, with lines that go on joined and comments left out."""
    kept = (line for line in PATH.read_text().splitlines() if not line.lstrip().startswith("#"))
    lines = "\n".join(kept).replace("\\\n", " ").splitlines()
    found, stage = [], ""
    for word, rest in (line.split(maxsplit=1) for line in lines if line.strip()):
        if word == "FROM":
            stage = rest.split(" AS ")[1]
        found.append(Instruction(word, re.sub(r"\s+", " ", rest), stage))
    return found


def all_of(word: str) -> list[Instruction]:
    """Return the instructions of one word."""
    return [one for one in instructions() if one.word == word]


def last_of(word: str, stage: str) -> str:
    """Return what the last such instruction of a stage says."""
    return next(one.rest for one in reversed(all_of(word)) if one.stage == stage)


def commands() -> list[list[str]]:
    """Return every command of every RUN, as words; options of RUN itself are left out."""
    parts = (re.sub(r"--mount=\S+ ", "", one.rest).split("&&") for one in all_of("RUN"))
    return [command.split() for part in parts for command in part]
