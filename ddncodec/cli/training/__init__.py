"""A training run from the command line: its folder, its log, its end."""
