"""From samples to index planes and back: rate, selection, search, tiles, post-filter and chunks.

Imports `bitstream`, `images`, `model` and `zoo`.
"""
