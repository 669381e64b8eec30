"""A generated Google Takeout export: photos, videos and their JSON files under the names that Google gives them.

The names are worked out here from what Google is known to do, in the direction of the export: from the title of each
photo to its file name and to the name of its JSON.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field

#: Google cuts media names to 51 characters with their ending, and what stands before `.json` to 46.
MEDIA_CHARACTERS = 51
JSON_CHARACTERS = 46
MARK = ".supplemental-metadata"
EDITED = ("-edited", "-bearbeitet", "-modifié", "-editado", "-modificato", "-bewerkt", "-編集済み")


@dataclass
class Folder:
    """One album: which JSON (by name, with its content) tells of which media, and what is no photo's."""

    media: set[str] = field(default_factory=set)
    described: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    nobodys: set[str] = field(default_factory=set)
    #: An edited photo, and what it was made from, whose JSON it shares.
    edited: dict[str, str] = field(default_factory=dict)

    def content_of(self, json_name: str) -> bytes:
        """A JSON as Google writes it."""
        told = {"title": self.titles[json_name], "photoTakenTime": {"timestamp": "1700000000"}}
        return json.dumps(told, ensure_ascii=len(json_name) % 2 == 0).encode()


def exported(title: str) -> str:
    """The file name of a photo of this title: nothing that a file system forbids, and not too long."""
    name = re.sub(r"[&<>'\"*?/\\:|%]", "_", title)
    stem, dot, ending = name.rpartition(".")
    if not dot:
        return name[:MEDIA_CHARACTERS]
    return stem[: MEDIA_CHARACTERS - len(ending) - 1] + dot + ending


def add(folder: Folder, title: str, *, new_marks: bool) -> str:
    """Export one photo with its JSON; each takes the first free number of its own."""
    wanted = exported(title)
    stem, dot, ending = wanted.rpartition(".")
    numbers = ["", *(f"({n})" for n in range(1, 1_000))]
    name = next(n for number in numbers if (n := f"{stem}{number}{dot}{ending}") not in folder.media)
    cut = (wanted + (MARK if new_marks else ""))[:JSON_CHARACTERS]
    json_name = next(j for number in numbers if (j := f"{cut}{number}.json") not in folder.described)
    folder.media.add(name)
    folder.described[json_name] = name
    folder.titles[json_name] = title
    return name


def edit(folder: Folder, name: str, word: str) -> None:
    """An edited version beside a photo: no JSON of its own, its number at the end, its word cut when it is long."""
    stem, dot, ending = name.rpartition(".")
    number = re.search(r"\(\d+\)$", stem)
    bare = stem[: number.start()] if number else stem
    room = MEDIA_CHARACTERS - len(ending) - 1
    made = (bare + word)[:room] + (number[0] if number else "") + dot + ending
    if len((bare + word)[:room]) > len(bare) + 1 and made not in folder.media:
        folder.media.add(made)
        folder.edited[made] = name


def titles(rng: random.Random, count: int) -> list[str]:
    """Titles of every kind that is known to be trouble."""
    found: list[str] = []
    for n in range(count):
        found.append(
            rng.choice(
                [
                    f"IMG_{rng.randrange(count):04d}.jpg",
                    f"IMG_{rng.randrange(60):04d}.HEIC",
                    f"IMG_{rng.randrange(60):04d}.jpg",
                    f"PXL_20230701_1000{rng.randrange(60):02d}{n % 1000:03d}.MP.jpg",
                    f"00{n:03d}IMG_00{n:03d}_BURST20190830164840410_COVER.jpg",
                    f"Screenshot_2021-03-29-09-18-32-{n % 40:03d}_com.google.android.apps.photos.jpg",
                    f"Screenshot_20210329-0918{n % 60:02d}_Google Play services.jpg",
                    f"a name with 4{n % 9} letters that end in its ending.jpeg",
                    "ein ziemlich langer Name, der weit über die Grenze von allem geht " + f"{n}.jpg",
                    "x" * rng.randrange(20, 60) + rng.choice([".jpg", ".jpeg", ".mp4", ".heic"]),
                    f"Was? {n % 50}: \"Ja\" & 'Nein' 100%.jpg",
                    f"été à la plage ({rng.randrange(20)}).jpg",
                    f"IMG({rng.randrange(9)}).jpg",
                    f"😀 party {n % 30} 😀😀😀😀😀😀😀😀😀 with many smileys inside.jpg",
                    f"video-{n}.mov",
                    f"no.ending.but.dots.{n % 99}.png",
                    f"写真 {n % 90} 京都の桜.JPG",
                ]
            )
        )
    return found


def generate(files: int, seed: int = 5) -> list[Folder]:
    """Albums with so many media files in all."""
    rng = random.Random(seed)
    folders: list[Folder] = []
    for part in range(8):
        folder = Folder()
        for title in titles(rng, files // 8):
            name = add(folder, title, new_marks=bool(part % 2))
            if rng.random() < 0.1:
                edit(folder, name, rng.choice(EDITED))
        for album in ("metadata.json", "Metadaten.json", "print-subscriptions.json", "metadata(1).json"):
            folder.nobodys.add(album)
            folder.titles[album] = "Summer holidays"
        folders.append(folder)
    return folders
