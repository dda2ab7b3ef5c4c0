"""Experiments with the network: each module answers one question and is one command.

density, options: the paper's algorithm and its variants; digits, faces, guidance, retrieval: generation and small
pictures; effort, prior, selection: what a part of the codec saves and costs.

May import benchmarks.compare, bitstream and ddncodec; experiments do not import each other.
"""
