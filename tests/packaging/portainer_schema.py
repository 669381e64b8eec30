"""The rules of Portainer's lists of templates, as JSON Schema."""

from __future__ import annotations

from typing import Any

#: What Portainer's published schema asks for (draft-07), with the types its pages read.
PORTAINER: dict[str, Any] = {
    "type": "object",
    "required": ["version", "templates"],
    "properties": {
        "version": {"const": "3"},
        "templates": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "type", "title"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "integer"},
                    "type": {"enum": [1, 2, 3]},
                    **{name: {"type": "string"} for name in ("title", "description", "note", "image", "command")},
                    "logo": {"type": "string", "format": "uri"},
                    "platform": {"enum": ["linux", "windows"]},
                    "administrator_only": {"type": "boolean"},
                    "restart_policy": {"enum": ["always", "no", "on-failure", "unless-stopped"]},
                    "categories": {"type": "array", "items": {"type": "string"}},
                    "ports": {"type": "array", "items": {"type": "string", "pattern": r"^\d+:\d+/(tcp|udp)$"}},
                    "repository": {"type": "object", "required": ["url", "stackfile"]},
                    "volumes": {"type": "array", "items": {"type": "object", "required": ["container"]}},
                    "env": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["name"],
                            "additionalProperties": False,
                            "properties": {
                                **{name: {"type": "string"} for name in ("name", "label", "description", "default")},
                                "preset": {"type": "boolean"},
                                "select": {"type": "array", "items": {"required": ["text", "value"]}},
                            },
                        },
                    },
                },
            },
        },
    },
}
