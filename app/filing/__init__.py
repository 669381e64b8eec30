"""Where files go in the archive: which folder, and under which names.

Sorting, the preview, the look at the tree, filing anew and rebuilding all ask here, so that they agree.
"""
