"""Why is this file where it is? Everything known of one file, in sentences for a person.

A file is named by its id, its path (absolute, or relative to the current folder or to a root), or its bare name.
"""

from __future__ import annotations

from typing import Any

from app.config.schema import Config
from app.db.connection import Connection
from app.errors import printable, readings
from app.model import Asset
from app.overview.files import asset_story
from app.overview.why import stranger
from app.overview.why.facts import gather
from app.overview.why.find import Match, find_matches, name_twins, places_of
from app.overview.why.sentences import Sentence, tell
from app.overview.why.several import say_others, say_several
from app.services import Services

__all__ = ["Sentence", "explain", "in_short", "whole_story"]


def explain(services: Services, given: str, folder: bytes | None = None) -> dict[str, Any]:
    """The whole story of the file that `given` names, as JSON-ready values; `known` says whether a row knows it.

    A name may be given as it is shown, with escapes, or as it is spelled. `folder` is what a relative path is relative
    to; without it only to the root folders.
    """
    meant = readings(given)
    with services.db.reading() as conn:
        matches = find_matches(conn, meant, folder)
        if matches:
            return _known(conn, services, given, matches)
        named = next((one for one in meant if stranger.lies_there(places_of(conn, one, folder))), meant[0])
        places = places_of(conn, named, folder)
        twins = name_twins(conn, named)
    told = stranger.explain(services, named, places, folder)
    return {
        "file": printable(named),
        "known": False,
        "asset": None,
        "told": [sentence.as_json() for sentence in told],
        "hint": _hint(twins),
        "others": [twin.id for twin in twins],
    }


def whole_story(conn: Connection, config: Config, asset: Asset) -> dict[str, Any]:
    """Everything that the rows know of one asset, and all of it in sentences too (`told`)."""
    told = tell(gather(conn, asset), config)
    sentences = [sentence.as_json() for sentence in told]
    return {**asset_story(conn, asset.id), **_short(told), "told": sentences}


def in_short(conn: Connection, config: Config, asset: Asset) -> dict[str, str]:
    """Why an asset has its date, and what happens to it next."""
    return _short(tell(gather(conn, asset), config))


def _short(told: list[Sentence]) -> dict[str, str]:
    def about(subject: str) -> str:
        return " ".join(sentence.text for sentence in told if sentence.about == subject)

    return {"why_this_date": about("date"), "next": about("next")}


def _known(conn: Connection, services: Services, given: str, matches: list[Match]) -> dict[str, Any]:
    first, *others = matches
    story = whole_story(conn, services.config, first.asset)
    told = [Sentence("found", say_several(given, story, len(matches)))] if others else []
    if first.relation:
        told.append(Sentence("found", first.relation.format(path=printable(first.named))))
    after = [Sentence("other", text) for text in say_others(conn, others)]
    return {
        "file": story["place"],
        "known": True,
        "asset": story,
        "told": [*(s.as_json() for s in told), *story.pop("told"), *(s.as_json() for s in after)],
        "hint": "",
        "others": [match.asset.id for match in others],
    }


def _hint(twins: list[Any]) -> str:
    if not twins:
        return "Give the whole path, or an id from `media-pipeline assets find`."
    ids = ", ".join(str(twin.id) for twin in twins)
    return f"A file of that name is known elsewhere; ask by its id: {ids}."
