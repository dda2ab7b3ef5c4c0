"""Models as files: the registry of installed models, the weights file, and loading it into a network.

Imports `bitstream`, errors, files and `model`; only `loading` needs torch.
"""
