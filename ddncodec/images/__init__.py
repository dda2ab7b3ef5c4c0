"""Pictures on their way in and out: formats, colour profiles, samples in memory.

Imports `bitstream`, errors and files only; no torch.
"""
