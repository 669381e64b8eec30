"""What happens to a file next, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterator

from app.config.schema import Config
from app.files.lone_sidecars import ALONE
from app.model import GONE_ON_PURPOSE, AssetStatus, Batch, BatchStatus, RootKind
from app.model.counting import counted
from app.overview.why.facts import Facts


def about_next(facts: Facts, config: Config) -> Iterator[str]:
    """Sentences about what is to come."""
    asset = facts.asset
    if asset.reason:
        yield f"The reason: {asset.reason}"
    if asset.status is AssetStatus.FAILED and facts.retry_refused:
        yield f"It stays where it is. {facts.retry_refused}"
    elif asset.status is AssetStatus.FAILED:
        yield f"It stays where it is. Remove the cause, then: media-pipeline assets retry {asset.id}"
    elif asset.status is AssetStatus.SET_ASIDE:
        yield from _set_aside(facts)
    elif asset.status is AssetStatus.DUPLICATE:
        yield from _duplicate(facts, config)
    elif asset.status in (AssetStatus.BATCHED, AssetStatus.DELIVERED) and facts.batch is not None:
        yield _of_batch(facts.batch)
    elif asset.status is AssetStatus.GONE and config.dedup.remember_removed and asset.reason == GONE_ON_PURPOSE:
        yield "Nothing happens to it; should its content come again, it is not taken in (dedup.remember_removed)."
    else:
        yield NEXT[asset.status]


NEXT = {
    AssetStatus.DISCOVERED: "The next run compares it with everything that is known.",
    AssetStatus.UNIQUE: "The next batch that has room takes it.",
    AssetStatus.BATCHED: "It waits for its batch.",
    AssetStatus.DELIVERED: "It waits for its batch.",
    AssetStatus.ARCHIVED: "Nothing more happens to it.",
    AssetStatus.GONE: "Nothing happens to it; should its content come again, it is taken in unless a peer keeps it.",
}


def _set_aside(facts: Facts) -> Iterator[str]:
    if facts.asset.reason == ALONE:
        yield "It goes on by itself when its photo or video is back in its folder."
    if facts.root.kind is RootKind.INGEST:
        yield f"It stays where it is. To have it taken in all the same: media-pipeline assets retry {facts.asset.id}"
    else:
        yield "It stays where it is. To have it taken in, move it to the ingest folder."


def _duplicate(facts: Facts, config: Config) -> Iterator[str]:
    if config.dedup.remember_removed and facts.original is not None and facts.original.reason == GONE_ON_PURPOSE:
        yield (
            f"File {facts.original.id} was removed on purpose, and this is the same again: it is not taken in, and "
            "nothing is deleted. It may be the only copy; dedup.remember_removed: false has it taken in."
        )
        return
    if facts.root.kind is RootKind.DUPLICATES or config.dedup.duplicate_policy != "quarantine":
        doubt = _doubt_about_original(facts)
        if doubt:
            yield f"Its original is not as it was ({doubt}): keep this file; it may be the only good copy."
        else:
            yield "It stays where it is; nothing is deleted. Remove it yourself when you like."
    else:
        yield "The next run moves it to the duplicates folder; nothing is deleted."


def _doubt_about_original(facts: Facts) -> str:
    """Why the original may not hold this content any more; empty when nothing speaks against it."""
    asset, original = facts.asset, facts.original
    if facts.reference_place:
        return ""
    if original is None:
        return "no row knows it any more"
    if original.status in (AssetStatus.GONE, AssetStatus.FAILED):
        return f"file {original.id} {'has left the disk' if original.status is AssetStatus.GONE else 'has failed'}"
    if facts.original_finding:
        return facts.original_finding.rstrip(".")
    if original.digest != asset.digest and (asset.sha256 is None or original.sha256 != asset.sha256):
        return f"what is known of file {original.id} is another content by now"
    return ""


def _of_batch(batch: Batch) -> str:
    words = {
        BatchStatus.PENDING: "Next its batch is delivered.",
        BatchStatus.SYNCING: (
            f"Its batch is being delivered: {batch.confirmed_count:,} of "
            f"{counted(batch.file_count, 'file', 'files')} proven. Then it is archived."
        ),
        BatchStatus.SYNCED: "Next it is filed into the archive.",
        BatchStatus.SORTING: "It is being filed into the archive.",
        BatchStatus.ERROR: f"Its batch has stopped. Remove the cause, then: media-pipeline batch retry {batch.id}",
    }
    return words.get(batch.status, "Its batch has ended without it; see the reason.")
