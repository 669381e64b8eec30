"""Device IDs of Syncthing: 52 letters and digits in four groups, each with a check digit of its own.

A mistyped ID that looks right is taken by Syncthing for a device that never comes; the check digits tell it apart.
"""

from __future__ import annotations

from app.errors import BadRequest

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#: What people type for letters that look alike, as Syncthing itself understands it.
LOOK_ALIKES = str.maketrans({"0": "O", "1": "I", "8": "B"})
GROUPS, GROUP_LENGTH, SHOWN_LENGTH = 4, 14, 7


def canonical(text: str) -> str:
    """The ID as Syncthing writes it: eight groups of seven. Raises BadRequest, which says what is wrong."""
    fault = fault_in(text)
    if fault is not None:
        raise BadRequest(f"This device ID {fault}.")
    return _shown(_word(text))


def canonical_or_same(text: str) -> str:
    """The ID as Syncthing writes it; a text that is none stays as it is."""
    return text if fault_in(text) is not None else _shown(_word(text))


def fault_in(text: str) -> str | None:
    """What is wrong with a text that should be a device ID, as the rest of a sentence about it, or None."""
    word = _word(text)
    if len(word) != GROUPS * GROUP_LENGTH:
        return (f"must have 56 letters and digits in eight groups of seven, and has {len(word)}; in the peer's "
                "Syncthing it is under Actions > Show ID")  # fmt: skip
    if not set(word) <= set(ALPHABET):
        return "must have only the letters A to Z and the digits 2 to 7; copy it again"
    for start in range(0, len(word), GROUP_LENGTH):
        group = word[start : start + GROUP_LENGTH]
        if check_digit(group[:-1]) != group[-1]:
            return (f"is mistyped: its check digits do not fit in the part {group[:7]}-{group[7:]}; copy it again from "
                    "the peer's Syncthing, under Actions > Show ID")  # fmt: skip
    return None


def check_digit(group: str) -> str:
    """The check digit of 13 characters: Syncthing's own reading of the Luhn algorithm, modulo 32."""
    total = 0
    for number, character in enumerate(group):
        addend = ALPHABET.index(character) * (1 if number % 2 == 0 else 2)
        total += addend // len(ALPHABET) + addend % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]


def _word(text: str) -> str:
    return text.strip().upper().translate(LOOK_ALIKES).replace("-", "").replace(" ", "")


def _shown(word: str) -> str:
    return "-".join(word[start : start + SHOWN_LENGTH] for start in range(0, len(word), SHOWN_LENGTH))
