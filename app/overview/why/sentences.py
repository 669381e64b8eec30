"""The story of a file in plain sentences, each about one thing, from facts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from app.config.schema import Config
from app.files.walk import is_media
from app.model import AssetStatus, RootKind
from app.model.counting import counted
from app.overview.why.dates import about_camera, about_candidates, about_confidence, about_date
from app.overview.why.facts import Facts
from app.overview.why.next_steps import about_next

#: What delivery to a mounted folder is recorded as.
FOLDER = "folder"

KINDS = {
    RootKind.INGEST: "the ingest folder",
    RootKind.STAGING: "staging",
    RootKind.BATCH: "the batch folder",
    RootKind.ARCHIVE: "the archive",
    RootKind.DUPLICATES: "the duplicates folder",
    RootKind.REFERENCE: "a reference folder",
    RootKind.DELIVERY: "the delivery folder",
}

STANDING = {
    AssetStatus.DISCOVERED: "was found and has not been compared with the others yet",
    AssetStatus.UNIQUE: "is unique and waits for a batch",
    AssetStatus.DUPLICATE: "is a duplicate",
    AssetStatus.BATCHED: "is in a batch",
    AssetStatus.DELIVERED: "is delivered and waits for the archive",
    AssetStatus.ARCHIVED: "is archived",
    AssetStatus.SET_ASIDE: "is set aside",
    AssetStatus.FAILED: "has failed",
    AssetStatus.GONE: "has left the disk",
}


@dataclass(frozen=True)
class Sentence:
    """One sentence and what it is about, for programs: what, where, from, date, duplicate, batch, delivery, next ..."""

    about: str
    text: str

    def as_json(self) -> dict[str, str]:
        """As JSON-ready values."""
        return asdict(self)


def tell(facts: Facts, config: Config) -> list[Sentence]:
    """The whole story, in the order of a file's way."""
    parts: list[tuple[str, Callable[[Facts], Iterator[str]]]] = [
        ("what", _what),
        ("where", _where),
        ("from", _came_from),
        ("duplicate", _duplicate),
        ("group", _group),
        ("date", lambda known: about_date(known.asset, known.root.kind, config, known.capture)),
        ("confidence", lambda known: about_confidence(known.capture)),
        ("candidates", lambda known: about_candidates(known.capture, known.asset)),
        ("decided", _decisions),
        ("camera", lambda known: about_camera(known.capture)),
        ("batch", _batch),
        ("delivery", _delivery),
        ("moves", _moves),
        ("verified", _verified),
        ("next", lambda known: about_next(known, config)),
    ]
    return [Sentence(about, text) for about, part in parts for text in part(facts)]


def moment(instant: str) -> str:
    """An instant for people."""
    return f"{instant[:19].replace('T', ' ')} UTC"


def _what(facts: Facts) -> Iterator[str]:
    asset = facts.asset
    kind = "photo or video" if is_media(asset.path) else "sidecar"
    yield f"File {asset.id} {STANDING[asset.status]}. It is a {kind} of {asset.size_bytes:,} bytes."
    if asset.digest:
        yield f"Its content is {asset.digest_algorithm} {asset.digest}."


def _where(facts: Facts) -> Iterator[str]:
    where = KINDS.get(facts.root.kind, facts.root.kind)
    if facts.asset.status is AssetStatus.GONE:
        yield f"It was last seen in {where}: {facts.place}."
    else:
        yield f"It lies in {where}: {facts.place}."
    for place in facts.kept:
        yield f"A copy of it stays at {place}."


def _came_from(facts: Facts) -> Iterator[str]:
    if facts.is_own_sidecar:
        written = moment(facts.asset.first_seen_at)
        yield f"This program wrote it on {written}, to tell other programs the date that a person decided."
        return
    place = f"at {facts.came_from}" if facts.came_from else "there"
    yield f"It was first seen {place} on {moment(facts.asset.first_seen_at)}."


def _duplicate(facts: Facts) -> Iterator[str]:
    original = facts.original
    if original is not None and facts.asset.status is AssetStatus.DUPLICATE:
        yield (
            f"Its content is byte for byte that of file {original.id}, {facts.original_place}, which "
            f"{STANDING[original.status]}{' and was delivered' if facts.original_sent else ''}."
        )
    elif facts.reference_place and facts.asset.status is AssetStatus.DUPLICATE:
        yield f"Its content is byte for byte that of {facts.reference_place}, which lies in a reference folder."
    elif original is not None:
        yield f"It was compared with file {original.id}, {facts.original_place}."
    if facts.duplicates:
        files = counted(facts.duplicates, "other file is a duplicate", "files are duplicates")
        yield f"{files} of it."


def _group(facts: Facts) -> Iterator[str]:
    if facts.mates:
        yield f"It belongs together with {', '.join(facts.mates)}; they move as one."


def _decisions(facts: Facts) -> Iterator[str]:
    for at, sentence in facts.decisions:
        yield f"On {moment(at)} {sentence}"


def _batch(facts: Facts) -> Iterator[str]:
    batch = facts.batch
    if batch is not None:
        trouble = f": {batch.error}" if batch.error else ""
        yield f"Its batch is {batch.name} (id {batch.id}), which is {batch.status.lower()}{trouble}."


def _delivery(facts: Facts) -> Iterator[str]:
    for device, at in facts.confirmed:
        where = "in the delivery folder, read again and compared," if device == FOLDER else f"at the peer {device}"
        yield f"It was proven {where} on {moment(at)}."
    batch = facts.batch
    if batch is None or facts.confirmed:
        return
    if batch.target == "none":
        yield "Its batch was archived without a delivery, as sync.target was none."
    elif facts.asset.status is AssetStatus.BATCHED:
        yield "It has not been proven at the peer yet."


def _moves(facts: Facts) -> Iterator[str]:
    for move in facts.moves:
        done = "copied" if move["keep_source"] else "moved"
        words = {"DONE": f"was {done}", "ABORTED": f"was not {done}", "QUARANTINE": f"may have been {done}"}
        what = words.get(move["state"], f"is being {done}")
        yield f"On {moment(move['updated_at'])} it {what} from {move['source']} to {move['target']}."


def _verified(facts: Facts) -> Iterator[str]:
    if facts.finding:
        yield f"The last verification found something wrong with it: {facts.finding}"
    elif facts.verified_at:
        yield f"It was read again and found intact on {moment(facts.verified_at)}."
    elif facts.asset.status is AssetStatus.ARCHIVED:
        yield "It has not been verified since it was archived; `media-pipeline verify` does that."
