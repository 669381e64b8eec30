"""Posting to a webhook: a JSON body, signed so that the receiver can tell that it is from here and from now.

The signature is HMAC-SHA256, with the entry's secret, over the timestamp, a full stop and the body
(docs/notifications.md shows how to check it).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from urllib3.exceptions import HTTPError

from app.config.notifying import Webhook
from app.db.notices import Notice
from app.errors import BadRequest
from app.notify.guarding import guarded_pools
from app.notify.hiding import hide_address
from app.notify.words import body_of, title_of

TIMESTAMP_HEADER = "X-Media-Pipeline-Timestamp"
SIGNATURE_HEADER = "X-Media-Pipeline-Signature"
ID_HEADER = "X-Media-Pipeline-Id"
TIMEOUT_SECONDS = 10.0


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the signature header holds: sha256= and the digest in hexadecimal."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def payload(notice: Notice) -> dict[str, Any]:
    """What is posted. `id` stays the same however often it is tried; `events` are the first, `count` is all of them."""
    return {
        "id": notice.id,
        "event": notice.event,
        "title": title_of(notice),
        "message": body_of(notice),
        "count": notice.count,
        "created_at": notice.created_at,
        "events": notice.told,
    }


def post(webhook: Webhook, notice: Notice) -> str | None:
    """Post it. None when the receiver answered with a status from 200 to 299, else why not."""
    body = json.dumps(payload(notice), ensure_ascii=False).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "media-pipeline",
        ID_HEADER: str(notice.id),
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: signature(webhook.secret, timestamp, body),
    }
    with guarded_pools(TIMEOUT_SECONDS) as pools:
        try:
            answer = pools.request(
                "POST", webhook.url, body=body, headers=headers, redirect=False, preload_content=False
            )
            answer.close()
        except (HTTPError, OSError, ValueError, BadRequest) as error:
            return hide_address(str(error), webhook.url, webhook.secret)
    return None if 200 <= answer.status < 300 else f"the receiver answered {answer.status}"
