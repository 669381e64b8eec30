"""What a message says: its title, and what happened in the journal's own sentences."""

from __future__ import annotations

from app.db.notices import Notice
from app.model.notices import OCCASIONS, TEST

PROGRAM = "Media Pipeline"
#: So many events are told in words; the others are counted.
MOST_SENTENCES = 5
TEST_WORDS = "This is a test. Notifications from Media Pipeline arrive here."


def title_of(notice: Notice) -> str:
    """One line that says what it is about."""
    if notice.event == TEST:
        return f"{PROGRAM}: test"
    occasion = OCCASIONS[notice.event]
    words = occasion.title if notice.count == 1 else occasion.titles.format(count=f"{notice.count:,}")
    return f"{PROGRAM}: {words}"


def body_of(notice: Notice) -> str:
    """What happened, the first few sentences of it."""
    if notice.event == TEST:
        return TEST_WORDS
    sentences = [str(told["message"]) for told in notice.told[:MOST_SENTENCES]]
    more = notice.count - len(sentences)
    return "\n".join([*sentences, *([f"And {more:,} more: the journal has them."] if more > 0 else [])])
