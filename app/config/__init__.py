"""Configuration: its schema, how a file and the environment become one, and how it is saved."""
