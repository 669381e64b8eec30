"""What a request must pass at whichever server it reaches, the pages or the database browser: host, origin, size, key.

One code for both, and light, because the browser holds it all day: nothing of Flask, nothing of the database.
"""
