"""What settings are made of: the base of every section, the types that many keys share, and marks on fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.model.device_id import canonical_or_same
from app.model.original_order import check_order

Text = Annotated[str, Field(max_length=4096)]
TextList = Annotated[tuple[str, ...], Field(strict=False, max_length=1000)]
#: The ID of a device, as Syncthing writes it however a person did; app/config/checks.py tells of a mistyped one.
Device = Annotated[str, Field(max_length=4096), AfterValidator(canonical_or_same)]
OriginalOrder = Annotated[TextList, AfterValidator(check_order)]
Devices = Annotated[TextList, AfterValidator(lambda ids: tuple(canonical_or_same(text) for text in ids))]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=0, le=31_536_000)]
Days = Annotated[int, Field(ge=0, le=36_500)]

TransferMode = Literal["move", "copy"]

#: Marks a field whose value never leaves the program.
SECRET: JsonDict = {"secret": True}
#: Marks a field whose change takes effect at the next start.
NEEDS_RESTART: JsonDict = {"needs_restart": True}


class Section(BaseModel):
    """A group of settings; unknown keys and values of another type are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
