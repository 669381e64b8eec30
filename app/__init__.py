"""Media Pipeline: feeds a big photo archive through a small peer without losing a photo.

Imports nothing, so that the worker never loads the web framework.
"""

__version__ = "0.1.0"
