"""Talking to Syncthing: the REST client, the proof that a file has arrived, the ignore list."""
