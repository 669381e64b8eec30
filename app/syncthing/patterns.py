"""Which of a folder's ignore patterns seem to hit a path: good enough to name a culprit, never to decide.

Whether Syncthing ignores a file is asked of Syncthing. The first pattern that matches decides there, as here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FLAGS = re.compile(r"\(\?[id]\)")
TOKEN = re.compile(r"\\(.)|(\*\*/?)|(\*)|(\?)|(\[[^\]]+\])|([{},])|(.)", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """One expanded line: what it matches, and whether it takes files out of the list again."""

    line: str
    form: re.Pattern[str]
    is_exception: bool


def read_patterns(expanded: Iterable[str]) -> list[Pattern]:
    """The patterns of `expanded` in Syncthing's answer; a line that cannot be read here is left out."""
    found = []
    for line in expanded:
        flags = "".join(FLAGS.findall(line))
        bare = FLAGS.sub("", line)
        is_exception = bare.startswith("!")
        try:
            form = re.compile(_form(bare.removeprefix("!").removeprefix("/")), re.IGNORECASE if "i" in flags else 0)
        except re.error:
            continue
        found.append(Pattern(line, form, is_exception))
    return found


def first_hit(patterns: Sequence[Pattern], path: str) -> str | None:
    """The line that seems to hide this path, None when none does."""
    for pattern in patterns:
        if pattern.form.fullmatch(path):
            return None if pattern.is_exception else pattern.line
    return None


def _form(glob: str) -> str:
    depth, out = 0, []
    for token in TOKEN.finditer(glob):
        escaped, deep, star, one, of, brace, plain = token.groups()
        if brace == "{":
            depth += 1
        if deep:
            out.append("(?:.*/)?" if deep == "**/" else ".*")
        elif star or one:
            out.append("[^/]*" if star else "[^/]")
        elif of:
            out.append("[^" + of[2:] if of.startswith("[!") else of)
        elif brace and depth:
            out.append({"{": "(?:", "}": ")", ",": "|"}[brace])
        else:
            out.append(re.escape(escaped or brace or plain))
        depth -= brace == "}" and depth > 0
    return "".join(out)
