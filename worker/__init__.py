"""The one process that executes runs: `python -m worker`."""
