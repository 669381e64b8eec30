"""Whether anybody has written to a database is told without looking at a row."""

from __future__ import annotations

from pathlib import Path

from app.db import facts
from app.db.news import News
from tests.conftest import make_services


def test_what_others_wrote_is_news_once(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    news = News(services.db)
    assert news.has_come(), "the first time, nothing is known"
    assert not news.has_come()
    with services.db.reading() as conn:
        facts.find(conn, "x")
    assert not news.has_come(), "reading is no news"
    with services.db.transaction() as conn:
        facts.put(conn, "x", "y")
    assert news.has_come()
    assert not news.has_come()
    news.close()
    services.close()


def test_a_database_that_cannot_be_asked_is_always_news(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    news = News(services.db)
    news.has_come()
    news.close()
    services.close()
    (tmp_path / "state").rename(tmp_path / "moved")
    assert news.has_come() and news.has_come()
