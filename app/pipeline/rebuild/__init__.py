"""Making a lost database again: the rows from the manifests and the tree, and nothing moved before a person agrees."""
