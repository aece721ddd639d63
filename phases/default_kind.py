"""Sections of a campaign file with several kinds, of which `kind` need not name the usual one."""

from pydantic import BeforeValidator


def default_kind(kind: str) -> BeforeValidator:
    """Return what takes a section without `kind` for one of this kind."""

    def completed(section: object) -> object:
        return {"kind": kind, **section} if isinstance(section, dict) else section

    return BeforeValidator(completed)
