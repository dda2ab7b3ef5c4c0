"""Experiments with the network itself: density, digits, faces, guidance, effort, index prior and options."""
