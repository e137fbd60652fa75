"""Escapes untrusted text, so that it cannot move the cursor, set colors or links, or add lines; formats values."""

import shlex
import unicodedata
from collections.abc import Iterable
from time import gmtime, strftime

# Control and format characters (also bidirectional ones), surrogates, private use, unassigned, line separators.
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str) -> str:
    """Return text with each unsafe character replaced by its escape sequence."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if is_safe(character) else escape(character) for character in text)


def is_safe(character: str) -> bool:
    """Return whether a character has no effect other than being displayed."""
    return unicodedata.category(character) not in UNSAFE


def escape(character: str) -> str:
    """Return the escape sequence of a character in Python's notation."""
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def columns_of(text: str) -> int:
    """Return the width of a clean text in terminal columns; wide East Asian characters count as two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(one) in {"W", "F"} for one in text)
    return len(text) + wide - sum(unicodedata.combining(one) != 0 for one in text)


def counted(number: int, one: str) -> str:
    """Return a number with its noun, which is in the plural unless the number is 1."""
    return f"{number} {one}" if number == 1 else f"{number:,} {one}s"


def command(*words: str) -> str:
    """Return words as a command line that can be pasted into a shell."""
    return shlex.join(words)


def seconds(number: float) -> str:
    """Return a duration, given in seconds, in readable form."""
    if number < 10:
        return f"{number:.1f} s"
    if number < 120:
        return f"{number:.0f} s"
    return f"{number / 60:.0f} min"


def size(number: int) -> str:
    """Return a number of bytes in the largest binary unit that fits."""
    amount, units = float(number), ["B", "KB", "MB", "GB", "TB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:.1f} {units[0]}" if amount < 10 and number >= 1024 else f"{amount:.0f} {units[0]}"


def ago(milliseconds: int) -> str:
    """Return an elapsed time, given in milliseconds, in the largest unit that fits, e.g. "3 h ago"."""
    passed = max(0, milliseconds // 1000)
    if passed >= 86_400:
        return f"{counted(passed // 86_400, 'day')} ago"
    for name, length in (("h", 3_600), ("min", 60)):
        if passed >= length:
            return f"{passed // length} {name} ago"
    return "just now"


def rfc3339(milliseconds: int) -> str:
    """Return a time, given in epoch milliseconds, in RFC 3339 format in UTC, to the second."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(milliseconds // 1000))


def tabbed(values: Iterable[str]) -> str:
    """Return values separated by tabs; tabs within a value are escaped."""
    return "\t".join(map(clean, values))
