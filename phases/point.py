"""A design point as people read and write it: choices by their words."""

from collections.abc import Mapping

from phases.config import CampaignConfig
from pools.errors import UsageError


def in_words(config: CampaignConfig, parameters: Mapping[str, float]) -> str:
    """Name each parameter and its value, to four digits or by its word."""
    told = (f"{name} {word_of(config, name, v) or f'{v:.4g}'}" for name, v in parameters.items())
    return ", ".join(told)


def word_of(config: CampaignConfig, name: str, value: float) -> str | None:
    """Return the word that a parameter's value stands for; None where it is just a number."""
    return config.choices.get(name, {}).get(value)


def value_of(config: CampaignConfig, name: str, text: str) -> float:
    """Read a parameter's value: a number, or the word of one.

    Raises:
        UsageError: it is neither.
    """
    words = config.choices.get(name, {})
    numbers = {word: number for number, word in words.items()}
    try:
        return numbers[text] if text in numbers else float(text)
    except ValueError:
        or_word = f", or one of {', '.join(numbers)}" if numbers else ""
        raise UsageError(f"{name} is {text!r}; it takes a number{or_word}") from None
