"""Where does a batch stand? Decided from where its files lie; values in, values out.

* Delivery is never believed: what lies complete in the batch folder is delivered, that is proven, once more.
* Only a delivered batch is ever sorted. So when files have left its folder for the archive, it was delivered: it goes
  on being sorted. It could not be proven again either, for what left the folder is no longer sent.
* A batch that the rows know from before keeps what they say, as far as the disk does not say that it went on since.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.model import OPEN_BATCH, AssetStatus, BatchStatus


@dataclass
class Whereabouts:
    """Where the files of a batch are, in numbers."""

    published: int = 0
    staged: int = 0
    archived: int = 0
    #: In the archive, and not in the batch folder any more.
    moved_out: int = 0
    at_origin: int = 0
    elsewhere: int = 0
    nowhere: int = 0


@dataclass(frozen=True)
class BatchVerdict:
    """What the row of a batch is going to say. `returned_as` is what its files became when it was taken back."""

    batch_id: int
    name: str
    status: BatchStatus
    is_published: bool
    error: str | None = None
    returned_as: AssetStatus | None = None

    @property
    def is_open(self) -> bool:
        """Whether the batch goes on."""
        return self.status in OPEN_BATCH

    @property
    def is_being_built(self) -> bool:
        """Whether files may still be waiting to be moved in."""
        return self.status is BatchStatus.PENDING and not self.is_published

    @property
    def file_status(self) -> AssetStatus:
        """What a file of it is that lies in its folder."""
        if self.status in (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.ERROR):
            return AssetStatus.BATCHED
        return AssetStatus.SET_ASIDE if self.status is BatchStatus.CANCELLED else AssetStatus.DELIVERED


@dataclass(frozen=True)
class Known:
    """What a row from before says of a batch."""

    status: BatchStatus
    is_published: bool
    error_from: BatchStatus | None = None


NOTHING_FOUND = "None of its files was found."

#: How far along a batch is; one that is taken back, or was, is nowhere on this way.
ORDER = (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED, BatchStatus.SORTING, BatchStatus.SORTED)


def judge(where: Whereabouts, *, is_undone: bool, sort_copies: bool) -> tuple[BatchStatus, bool, str | None]:
    """(status, published, reason) of a batch by what the disk says alone.

    `sort_copies`: the archive is filled by copying, so that files stay in the batch folder.
    """
    if is_undone:
        return BatchStatus.CANCELLED, where.published > 0, None
    if where.published:
        return _published(where, sort_copies)
    if where.staged:
        return BatchStatus.PENDING, False, None
    if where.archived:
        return BatchStatus.SORTED, True, None
    if where.at_origin:
        return BatchStatus.PENDING, False, None
    return BatchStatus.CANCELLED, False, NOTHING_FOUND


def _published(where: Whereabouts, sort_copies: bool) -> tuple[BatchStatus, bool, str | None]:
    if sort_copies and where.archived >= where.published:
        return BatchStatus.SORTED, True, None
    if where.moved_out or (sort_copies and where.archived):
        return BatchStatus.SORTING, True, None
    return BatchStatus.PENDING, True, None


def reconcile(
    found: tuple[BatchStatus, bool, str | None], known: Known | None
) -> tuple[BatchStatus, bool, str | None]:
    """What the disk says, put together with what a row from before says: the row holds where the disk agrees."""
    status, is_published, reason = found
    if known is not None and known.status is BatchStatus.SORTED and reason == NOTHING_FOUND:
        return known.status, known.is_published, None
    if known is None:
        return found
    if status is BatchStatus.CANCELLED:
        return status, is_published or known.is_published, reason
    stands_at = (known.error_from or BatchStatus.PENDING) if known.status is BatchStatus.ERROR else known.status
    if stands_at not in ORDER:
        return known.status, known.is_published, reason
    if ORDER.index(stands_at) >= ORDER.index(status) and known.is_published == is_published:
        return known.status, is_published, reason
    return status, is_published, reason
