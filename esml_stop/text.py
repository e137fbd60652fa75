"""Foreign text made safe to show: it cannot move the cursor, colour, link or forge a line."""

import shlex
import unicodedata

# Controls, formatting (also the bidirectional kind), lone surrogates, private use, line and paragraph separators.
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str) -> str:
    """Return text with every character that could do more than be seen replaced by its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if is_safe(character) else escape(character) for character in text)


def is_safe(character: str) -> bool:
    """Tell whether a character does nothing but show."""
    return unicodedata.category(character) not in UNSAFE


def escape(character: str) -> str:
    """Return a character as Python and JSON write it."""
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def counted(number: int, one: str) -> str:
    """Return a number with its noun, in the plural where it is one."""
    return f"{number} {one}" if number == 1 else f"{number:,} {one}s"


def command(*words: str) -> str:
    """Return words as a command line that can be pasted into a shell."""
    return shlex.join(words)


def seconds(number: float) -> str:
    """Return a length of time for a person."""
    if number < 10:
        return f"{number:.1f} s"
    if number < 120:
        return f"{number:.0f} s"
    return f"{number / 60:.0f} min"
