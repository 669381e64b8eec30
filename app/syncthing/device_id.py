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
    word = text.strip().upper().translate(LOOK_ALIKES).replace("-", "").replace(" ", "")
    if len(word) != GROUPS * GROUP_LENGTH:
        raise BadRequest(
            f"A device ID has 56 letters and digits in eight groups of seven; this one has {len(word)}. In the peer's "
            "Syncthing it is under Actions > Show ID."
        )
    if not set(word) <= set(ALPHABET):
        raise BadRequest("A device ID has only the letters A to Z and the digits 2 to 7; copy it again.")
    for start in range(0, len(word), GROUP_LENGTH):
        group = word[start : start + GROUP_LENGTH]
        if check_digit(group[:-1]) != group[-1]:
            raise BadRequest(
                f"This device ID is mistyped: its check digits do not fit in the part {group[:7]}-{group[7:]}. Copy it "
                "again from the peer's Syncthing, under Actions > Show ID."
            )
    return "-".join(word[start : start + SHOWN_LENGTH] for start in range(0, len(word), SHOWN_LENGTH))


def check_digit(group: str) -> str:
    """The check digit of 13 characters: Syncthing's own reading of the Luhn algorithm, modulo 32."""
    total = 0
    for number, character in enumerate(group):
        addend = ALPHABET.index(character) * (1 if number % 2 == 0 else 2)
        total += addend // len(ALPHABET) + addend % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]
