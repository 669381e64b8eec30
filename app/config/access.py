"""Who may use the API and the pages: keys, each with a name and a scope."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.config.fields import SECRET, Section, Text

Scope = Literal["read", "run", "admin"]

#: From the least to the most: each scope holds those before it.
SCOPES: tuple[Scope, ...] = ("read", "run", "admin")

#: The name of the key that auth.api_key holds.
MAIN_KEY = "main"


class AccessKey(Section):
    """A key of its own for one person or program."""

    name: Text = Field(description="Who has this key: letters, digits, dots and dashes; shown in history and journal.")
    key: Text = Field(description="The key itself.", repr=False, json_schema_extra=SECRET)
    scope: Scope = Field(
        default="read", description="read: look at everything; run: also start and steer work; admin: everything."
    )


AccessKeys = Annotated[tuple[AccessKey, ...], Field(strict=False, max_length=100)]


class Auth(Section):
    """Who may use the API and the pages."""

    api_key: Text = Field(
        default="",
        description="Key that clients must send; empty = no key needed.",
        repr=False,
        json_schema_extra=SECRET,
    )
    keys: AccessKeys = Field(default=(), description="More keys, each with a name and a scope: read, run or admin.")
    header_name: Text = Field(default="x-api-key", description="HTTP header that carries the key.")

    @property
    def every_key(self) -> tuple[AccessKey, ...]:
        """All keys that open something, that of auth.api_key first; none means that no key is needed."""
        main = (AccessKey(name=MAIN_KEY, key=self.api_key, scope="admin"),) if self.api_key else ()
        return (*main, *self.keys)
