"""The dates of archived files, found anew by today's zone, rules and decisions from what was recorded of them.

Files are opened only where nothing was recorded and the zone is another one now, which is recorded then; and sidecars
that came later than their photos, so that they are heard as if they had come together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice

from app.db import assets, capture_records, date_decisions, facts
from app.db.archived_groups import Scope, list_archived_groups
from app.db.capture_records import CaptureRecord
from app.db.connection import Connection, Database
from app.db.dated_groups import list_others
from app.files.capture_time import CaptureReaders, Claim, Reading
from app.files.digest import Wanted
from app.files.walk import is_media
from app.filing.dating import Dated, choose_lead, claims_of, columns, disagreement, is_read, record, rules_of
from app.filing.numbering import group_key
from app.filing.recorded import claims_recorded, date_by_claims
from app.model import Asset, Place, RootKind
from app.pipeline.step import StepContext
from app.services import Services

#: Groups between two transactions.
AT_A_TIME = 500


#: The fact that says how many files a run has given another local time: its id and the number.
DATED = "refile_dated"


@dataclass
class Dating:
    """One pass over groups of the archive, over the rows of the real database or of a copy."""

    services: Services
    step: StepContext
    rows: Database
    scope: Scope
    present: datetime = field(default_factory=lambda: datetime.now(UTC))
    #: Files that have another local time now.
    changed: int = 0

    def __post_init__(self) -> None:
        self.archive = self.services.root(RootKind.ARCHIVE)
        self.zone, self.rules = self.services.config.zone, rules_of(self.services.config.sorter)
        with self.rows.reading() as conn:
            run_id, _, changed = (facts.find(conn, DATED) or "").partition(" ")
        # A run that was stopped goes on.
        self.changed = int(changed) if run_id == str(self.step.run_id) else 0


@dataclass(frozen=True)
class Known:
    """What is known of the files of some groups."""

    records: Mapping[int, CaptureRecord]
    decided: Mapping[int, Claim]
    readings: Mapping[int, Reading]


@dataclass(frozen=True)
class Found:
    """The date that a group gets: what is written of its archived files, and the records of those that were read."""

    columns: Sequence[tuple[int, dict[str, str | None]]]
    #: How many of these have another local time.
    changed: int
    confidences: Mapping[int, str]
    records: Sequence[CaptureRecord]


def date_anew(work: Dating) -> None:
    """Write the dates that archived files have by today's rules, where they are others than before."""
    done = 0
    with work.rows.reading() as conn, CaptureReaders(work.services.config.dedup.threads) as readers:
        groups = list_archived_groups(conn, work.archive.id, work.scope)
        while part := list(islice(groups, AT_A_TIME)):
            _date_some(work, readers, part)
            done += sum(map(len, part))
            work.step.safe_point(done, done)


def _date_some(work: Dating, readers: CaptureReaders, groups: Sequence[Sequence[Asset]]) -> None:
    here = {asset.id for group in groups for asset in group}
    with work.rows.reading() as conn:
        others = list_others(conn, [asset for group in groups for asset in group])
        wholes = [[*group, *others.get(group_key(group[0]), ())] for group in groups]
        known = _known(conn, wholes, {})
    readings = _read(work, readers, wholes, known, here)
    if not any(_differs(work, whole, known, readings, here) for whole in wholes):
        return
    with work.rows.transaction() as conn:
        # Read once more: what is decided while files are read counts as well.
        known = _known(conn, wholes, readings)
        found = [one for whole in wholes if (one := _found(work, whole, known, here)) is not None]
        for one in found:
            _write(work, conn, one)
        facts.put(conn, DATED, f"{work.step.run_id} {work.changed}")


def _known(conn: Connection, wholes: Sequence[Sequence[Asset]], readings: Mapping[int, Reading]) -> Known:
    ids = [asset.id for whole in wholes for asset in whole]
    decided = date_decisions.list_of(conn, ids)
    claims = {asset_id: Claim("person", one.text, one.zone) for asset_id, one in decided.items()}
    return Known(capture_records.list_of(conn, ids), claims, readings)


def _differs(
    work: Dating, whole: Sequence[Asset], known: Known, readings: Mapping[int, Reading], here: set[int]
) -> bool:
    found = _found(work, whole, replace(known, readings=readings), here)
    return found is not None and bool(found.columns or found.records)


def _write(work: Dating, conn: Connection, found: Found) -> None:
    assets.set_columns(conn, found.columns)
    capture_records.write(conn, found.records)
    for confidence in set(found.confidences.values()):
        ids = [asset_id for asset_id, one in found.confidences.items() if one == confidence]
        capture_records.set_confidence(conn, ids, confidence)
    work.changed += found.changed


# --- reading again


def _read(
    work: Dating, readers: CaptureReaders, wholes: Sequence[Sequence[Asset]], known: Known, here: set[int]
) -> dict[int, Reading]:
    wanted = [
        Wanted(asset.id, Place(work.archive, asset.path), asset.signature)
        for whole in wholes
        for asset in _to_be_read(work, whole, known, here)
    ]
    found = readers.read(iter(wanted)) if wanted else iter(())
    return {reading.key: reading for reading in _with_safe_points(work, found) if not reading.moved_on}


def _with_safe_points(work: Dating, found: Iterator[Reading | None]) -> Iterator[Reading]:
    for number, reading in enumerate(found):
        work.step.safe_point(number, number)
        if reading is not None:
            yield reading


def _to_be_read(work: Dating, whole: Sequence[Asset], known: Known, here: set[int]) -> list[Asset]:
    """Files of a group to be read: all, when nothing was recorded of a photo or film of it and its local time is not
    that of its instant in today's zone; else sidecars that were inspected apart from what they lie beside, or came from
    another folder."""
    telling = [a for a in whole if a.id in here and is_read(a)]
    missing = [a for a in whole if is_media(a.path) and a.id not in known.records]
    if any(a.id not in here for a in missing):
        return []
    if any(_is_of_other_zone(work, asset) for asset in missing):
        return [a for a in telling if a.id not in known.records]
    media = [a for a in whole if is_media(a.path)]
    inspected, folders = {a.inspected_at for a in media}, {_folder(a) for a in media}
    sidecars = [a for a in telling if not is_media(a.path)]
    return [a for a in sidecars if inspected != {a.inspected_at} or _folder(a) not in folders]


def _folder(asset: Asset) -> bytes:
    """Where it came from."""
    return (asset.origin_path or asset.path).rpartition(b"/")[0]


def _is_of_other_zone(work: Dating, asset: Asset) -> bool:
    if asset.taken_from == "person" or asset.taken_at is None or asset.taken_local is None:
        return False
    at = datetime.fromisoformat(asset.taken_at).astimezone(work.zone).replace(tzinfo=None)
    return at != datetime.fromisoformat(asset.taken_local)


# --- choosing again


def _found(work: Dating, whole: Sequence[Asset], known: Known, here: set[int]) -> Found | None:
    """The group as an inspection would date it now; None when it is not known of each photo and film what it tells."""
    came_as = [replace(asset, path=asset.origin_path or asset.path) for asset in whole]
    media = [asset for asset in came_as if is_media(asset.path)]
    if not media or any(a.id not in known.records and a.id not in known.readings for a in media):
        return None
    claims = claims_of(came_as, known.readings)
    dated = [_dated(work, asset, known, claims[asset.id]) for asset in came_as]
    lead = choose_lead(dated)
    differ = disagreement(dated, lead)
    rows, confidences, records = [], dict[int, str](), []
    for one in (one for one in dated if one.asset.id in here):
        kept = record(one, lead, differ)
        if one.asset.id in known.readings and is_media(one.asset.path):
            records.append(kept)
        if row := _changes(one.asset, columns(one, lead, differ)):
            rows.append((one.asset.id, row))
            confidences[one.asset.id] = kept.confidence
    before = {asset.id: asset.taken_local for asset in whole}
    changed = sum(row["taken_local"] != before[asset_id] for asset_id, row in rows)
    return Found(rows, changed, confidences, records)


def _dated(work: Dating, asset: Asset, known: Known, read: Sequence[Claim]) -> Dated:
    recorded = known.records.get(asset.id)
    claims, make, model = list(read), None, None
    if recorded is not None:
        make, model = recorded.camera_make, recorded.camera_model
        claims = claims_recorded(recorded, read)
    elif asset.id in known.readings:
        make, model = known.readings[asset.id].camera_make, known.readings[asset.id].camera_model
    claims += [known.decided[asset.id]] if asset.id in known.decided else []
    return date_by_claims(asset, claims, (make, model), work.zone, work.present, work.rules)


def _changes(asset: Asset, row: Mapping[str, str | None]) -> dict[str, str | None]:
    """Its date, when that is another one, or comes from elsewhere."""
    before = {"taken_local": asset.taken_local, "taken_at": asset.taken_at, "taken_from": asset.taken_from}
    after = {name: row[name] for name in before}
    return after if after != before else {}
