"""How Syncthing cuts a file into blocks, which is how a peer tells how much of it it has fetched."""

from __future__ import annotations

SMALLEST_BLOCK_BYTES = 128 * 1024
LARGEST_BLOCK_BYTES = 16 * 1024 * 1024
#: A file is cut into larger blocks until there are no more than so many.
BLOCKS_WANTED = 2_000


def block_bytes(size_bytes: int) -> int:
    """The size of the blocks of a file of this size."""
    block = SMALLEST_BLOCK_BYTES
    while block < LARGEST_BLOCK_BYTES and size_bytes >= BLOCKS_WANTED * block:
        block *= 2
    return block


def bytes_of_blocks(blocks: int, size_bytes: int) -> int:
    """At most how many bytes of a file so many of its blocks are."""
    return min(size_bytes, max(0, blocks) * block_bytes(size_bytes))
