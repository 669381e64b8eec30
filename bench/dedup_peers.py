"""The programs that bench/dedup.py compares us with: how they are called, and what sets of duplicates they print."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

#: Sets of paths that hold the same bytes.
Sets = frozenset[frozenset[str]]
LINKING = re.compile(r"^\[DryRun\] Linking (.*) to (.*) \(-[^()]*\)$")


@dataclass(frozen=True, slots=True)
class Peer:
    """A command with {tree}, {out} and {cache} in it, and how to read what it leaves at {out}.

    `again` is the same with what it remembers from `fill`; empty where it remembers nothing.
    """

    name: str
    command: str
    read: Callable[[str], Sets] | None = None
    fill: str = ""
    again: str = ""

    @property
    def is_here(self) -> bool:
        """Whether it is installed."""
        return shutil.which(self.name.split()[0]) is not None


def blocks(text: str) -> Sets:
    """Sets as paths with an empty line between them: jdupes, fdupes, rmlint."""
    return frozenset(frozenset(block.strip("\n").split("\n")) for block in text.split("\n\n") if block.strip())


def pairs(text: str) -> Sets:
    """Sets as links that hardlink would make."""
    return joined(found.groups() for line in text.splitlines() if (found := LINKING.match(line)))


def rows(text: str) -> Sets:
    """Sets as lines of rdfind's table: kind, number of the set, ..., name."""
    sets: dict[int, set[str]] = {}
    for line in text.splitlines():
        if line.startswith("DUPTYPE"):
            _, number, *_, name = line.split(" ", 7)
            sets.setdefault(abs(int(number)), set()).add(name)
    return frozenset(map(frozenset, sets.values()))


def joined(pairs_of_paths: Iterable[tuple[str | None, ...]]) -> Sets:
    """Sets out of pairs."""
    home: dict[str, set[str]] = {}
    for pair in pairs_of_paths:
        one, other = str(pair[0]), str(pair[1])
        merged = home.get(one, {one}) | home.get(other, {other})
        home.update(dict.fromkeys(merged, merged))
    return frozenset(map(frozenset, home.values()))


PEERS = (
    Peer("jdupes", "jdupes -r -q {tree} > {out}", blocks),
    Peer("hardlink", "hardlink -n -c -v {tree} > {out}", pairs),
    Peer("rdfind", "rdfind -dryrun true -makeresultsfile true -outputname {out} {tree} > /dev/null", rows),
    Peer("fdupes", "fdupes -r -q {tree} > {out}", blocks),
    Peer(
        "rmlint", "rmlint -T df -o fdupes:{out} {tree} > /dev/null", blocks,
        "rmlint -T df --xattr -o fdupes:{out} {tree} > /dev/null",
        "rmlint -T df --xattr -o fdupes:{out} {tree} > /dev/null",
    ),
    # Finds equal blocks, not equal files: only its second scan is compared, and not its sets.
    Peer("duperemove", "", None, "duperemove -r -q --hashfile={cache} {tree} > {out}",
         "duperemove -r -q --hashfile={cache} {tree} > {out}"),
)  # fmt: skip

#: What nobody can be faster than by much: names and facts of every file; every byte of every file.
LIMITS = (
    Peer("find -printf", "find {tree} -printf '%s %T@ %i %p\\n' > {out}"),
    Peer("cat, 2 processes", "find {tree} -type f -print0 | xargs -0 -P2 -n 64 cat > /dev/null"),
)


def sets_of(peer: Peer, out: Path) -> Sets:
    """What the peer has found."""
    assert peer.read is not None
    return peer.read(out.read_text(encoding="utf-8", errors="surrogateescape"))
