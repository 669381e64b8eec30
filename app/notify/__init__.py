"""Telling people (notifications, by Apprise) and programs (webhooks) what happened: docs/notifications.md."""
