"""A generated Google Takeout export: photos, videos and their JSON files under the names that Google gives them.

The names are worked out here from what Google is known to do, in the direction of the export: from the title of each
photo to its file name and to the name of its JSON.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field

#: Google cuts media names to 51 characters with their ending, and what stands before `.json` to 46. It counts the units
#: of UTF-16: a smiley is two.
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
    #: A photo that has not the name that its JSON tells, and that name.
    renamed: dict[str, str] = field(default_factory=dict)

    def content_of(self, json_name: str) -> bytes:
        """A JSON as Google writes it."""
        told = {"title": self.titles[json_name], "photoTakenTime": {"timestamp": "1700000000"}}
        return json.dumps(told, ensure_ascii=len(json_name) % 2 == 0).encode()


def first(text: str, units: int) -> str:
    """As much of a text as has room in so many units; half a smiley is none."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")


def exported(title: str, replaced: str = r"[&<>'\"*?/\\:|%]") -> str:
    """The file name of a photo of this title: nothing that a file system forbids, and not too long."""
    name = re.sub(replaced, "_", title)
    stem, dot, ending = name.rpartition(".")
    if not dot:
        return first(name, MEDIA_CHARACTERS)
    return first(stem, MEDIA_CHARACTERS - len(ending) - 1) + dot + ending


def add(folder: Folder, title: str, *, new_marks: bool) -> str:
    """Export one photo with its JSON; each takes the first free number of its own."""
    wanted = exported(title)
    stem, dot, ending = wanted.rpartition(".")
    numbers = ["", *(f"({n})" for n in range(1, 1_000))]
    name = next(n for number in numbers if (n := f"{stem}{number}{dot}{ending}") not in folder.media)
    cut = first(wanted + (MARK if new_marks else ""), JSON_CHARACTERS)
    json_name = next(j for number in numbers if (j := f"{cut}{number}.json") not in folder.described)
    folder.media.add(name)
    folder.described[json_name] = name
    folder.titles[json_name] = title
    return name


def rename(folder: Folder, rng: random.Random) -> None:
    """Some photos keep what Google replaces in the names of their JSON files, some have got one more ending."""
    untouched = {*folder.edited, *folder.edited.values()}
    for json_name, name in folder.described.items():
        title = folder.titles[json_name]
        stem, _, ending = exported(title, r'[/\\:*?"<>|]').rpartition(".")
        number = name.rpartition(".")[0].removeprefix(exported(title).rpartition(".")[0])
        kept = f"{stem}{number}.{ending}"
        other = f"{name}.jpg" if ending == "HEIC" else kept
        is_free = other not in folder.media and name not in untouched
        if is_free and rng.random() < 0.5:
            folder.media.remove(name)
            folder.media.add(other)
            folder.described[json_name] = other
            folder.renamed[other] = name


def edit(folder: Folder, name: str, word: str) -> None:
    """An edited version beside a photo: no JSON of its own, its number at the end, its word cut when it is long."""
    stem, dot, ending = name.rpartition(".")
    number = re.search(r"\(\d+\)$", stem)
    bare = stem[: number.start()] if number else stem
    room = MEDIA_CHARACTERS - len(ending) - 1
    cut = first(bare + word, room)
    made = cut + (number[0] if number else "") + dot + ending
    if len(cut) > len(bare) + 1 and made not in folder.media:
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
                    f"Mum & Dad's holiday by the sea, part {n % 7} of many, many.jpg",
                    f"Mum & Dad's holiday in the hills above the sea 1{n % 7}.jpg",
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
        rename(folder, rng)
        for album in ("metadata.json", "Metadaten.json", "print-subscriptions.json", "metadata(1).json"):
            folder.nobodys.add(album)
            folder.titles[album] = "Summer holidays"
        folders.append(folder)
    return folders
