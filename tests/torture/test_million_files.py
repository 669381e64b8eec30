"""A million tiny files in one folder: right verdicts, in bounded memory, database and write-ahead log."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.million import measure

FILES = 1_000_000
MIB = 1 << 20


@pytest.mark.torture
def test_a_million_tiny_files_in_one_folder_are_judged_right_in_bounded_memory(tmp_path: Path) -> None:
    # Ends with an error when the verdicts are not those that the files were made for.
    costs = measure(FILES, tmp_path, per_folder=FILES, plain=False)
    for seen in costs.seen.values():
        assert seen.peak_bytes < 512 * MIB
        assert seen.wal_bytes < 64 * MIB
    assert costs.database_bytes < 1_536 * MIB
