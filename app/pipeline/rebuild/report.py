"""What a rebuild found, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.db import assets, batches, rebuild_entries, rebuild_files, rebuild_lines
from app.db.clock import now
from app.db.connection import Connection
from app.errors import printable
from app.model import AssetStatus, Failure, Root
from app.model.counting import counted
from app.pipeline.rebuild.batch_verdicts import BatchVerdict
from app.pipeline.rebuild.contents import Finding

#: Batches and failures that the report itself names, the newest first; lists name all.
NAMED = 100
#: What of the counts is worth a word, when there is one and when there are several.
WORDS = (
    ("entries_without_file", "file of a manifest was found nowhere", "files of manifests were found nowhere"),
    ("rows_without_file", "known file was found nowhere", "known files were found nowhere"),
    (Finding.NO_MANIFEST.value, "file of the archive is in no manifest", "files of the archive are in no manifest"),
    (Finding.ONLY_IN_TRASH.value, "file was found only in the trash", "files were found only in the trash"),
    (Finding.UNREADABLE.value, "file could not be read", "files could not be read"),
    (Finding.ALTERED.value, "known file does not hold what it should", "known files do not hold what they should"),
    ("decided_dates", "file got its decided date back", "files got their decided dates back"),
    ("dates_not_read",
     "file has its date, and what it tells was not read; `media-pipeline dates read` reads it and finds more doubts",
     "files have their dates, and what they tell was not read; `media-pipeline dates read` reads it and finds more "
     "doubts"),
    ("settled_findings", "finding of a verification is settled", "findings of verifications are settled"),
)


@dataclass(frozen=True)
class GivenUp:
    """Known files that no manifest names and that were found nowhere: how many, and the first of them by name."""

    count: int
    named: Sequence[tuple[int, str]]

    @classmethod
    def find(cls, conn: Connection, walked: Sequence[Root]) -> GivenUp:
        """What is about to be given up under these roots."""
        paths = {root.id: root.path for root in walked}
        found = rebuild_lines.list_unfound(conn, list(paths), NAMED)
        named = [(asset_id, printable(paths[root_id].rstrip(b"/") + b"/" + path)) for asset_id, root_id, path in found]
        return cls(rebuild_lines.count_unfound(conn, list(paths)), named)


def make_report(
    conn: Connection,
    walked: Sequence[Root],
    verdicts: Mapping[int, BatchVerdict],
    failures: Sequence[Failure],
    given_up: GivenUp,
    settled: Mapping[str, int],
    run_id: int,
) -> dict[str, Any]:
    """The whole report, as JSON-ready values. `settled`: by its name, how often something of before was put right."""
    seen = rebuild_files.count_by_root(conn)
    entries, lost = rebuild_entries.count(conn)
    findings = rebuild_files.count_findings(conn)
    files, size_bytes = rebuild_files.count(conn)
    counts = {
        "files": files,
        "size_bytes": size_bytes,
        "manifests": len(verdicts),
        "manifest_entries": entries,
        "entries_without_file": lost,
        "rows_without_file": given_up.count,
        **settled,
        **{finding.value: findings.get(finding.value, 0) for finding in Finding},
    }
    return {
        "run_id": run_id,
        "finished_at": now(),
        "counts": counts,
        "lines": [line._asdict() for line in rebuild_lines.count(conn)],
        "statuses": {status.value: assets.count(conn, status) for status in AssetStatus},
        "roots": [_root(root, seen.get(root.id, (0, 0))) for root in walked],
        "batches": [_batch(conn, verdicts[i]) for i in sorted(verdicts, reverse=True)[:NAMED]],
        "given_up": [{"asset_id": asset_id, "path": path} for asset_id, path in given_up.named],
        "failures": [{"path": failure.path, "reason": failure.reason} for failure in failures[:NAMED]],
    }


def _root(root: Root, seen: tuple[int, int]) -> dict[str, Any]:
    return {"kind": root.kind.value, "path": printable(root.path), "files": seen[0], "size_bytes": seen[1]}


def _batch(conn: Connection, verdict: BatchVerdict) -> dict[str, Any]:
    batch = batches.get(conn, verdict.batch_id)
    return {
        "id": batch.id,
        "name": batch.name,
        "status": batch.status.value,
        "published": batch.published_at is not None,
        "file_count": batch.file_count,
    }


def in_words(found: Mapping[str, Any]) -> str:
    """The sentence for the journal and for the step."""
    counts = found["counts"]
    words = ", ".join(f"{line['files']:,} {line['name'].replace('_', ' ')}" for line in found["lines"]) or "none"
    more = []
    for key, one, many in WORDS:
        if counts[key]:
            more.append(counted(counts[key], one, many))
    files = counted(counts["files"], "file", "files")
    manifests = counted(counts["manifests"], "manifest", "manifests")
    return f"{files} and {manifests} were looked at: {words}." + "".join(f" {sentence}." for sentence in more)
