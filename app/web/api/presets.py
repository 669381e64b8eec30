"""Presets: a few settings under one name, with what they mean for the files and what they would change now."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.config.presets import PRESETS, Preset, find_preset, preset_json
from app.web.api.config import affected_by, answer_saved, expected_revision
from app.web.context import actor, container
from app.web.models import PresetPath, responses

api = APIBlueprint(
    "presets", __name__, url_prefix="/api/config/presets", abp_tags=[Tag(name="config", description="Settings")]
)


@api.get("", responses=responses(503), summary="The presets")
def index() -> Response:
    """Each with a sentence on what it means for the files, and the settings that it would change now."""
    return jsonify({"presets": [_described(preset) for preset in PRESETS]})


@api.get("/<name>", responses=responses(404, 503), summary="One preset")
def show(path: PresetPath) -> Response:
    """The same for one of them."""
    return jsonify(_described(find_preset(path.name)))


@api.post("/<name>", responses=responses(404, 412, 422), summary="Apply a preset")
def apply(path: PresetPath) -> Response:
    """Saves the preset's settings. With If-Match a change that someone made meanwhile is not overwritten."""
    preset, store = find_preset(path.name), container().store
    expected = expected_revision()
    changes = preset.changes(store.current().config)
    verdict = store.check_partial(changes)
    affected = affected_by(verdict)
    snapshot = store.save_partial(changes, actor=actor(), expected_revision=expected)
    return answer_saved(snapshot, verdict, f"The preset {preset.title} was applied", affected)


def _described(preset: Preset) -> dict[str, Any]:
    return preset_json(preset, container().store)
