"""Everything that touches the media tree."""
