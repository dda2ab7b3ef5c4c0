"""Coding of many files: which file becomes which, pictures that share a batch, processes, and what fails alone.

`ddnc encode`, `ddnc decode` and `ddncodec.ray_data` are built on it. Imports the codec and all below it; no command
line. Modules here import torch only inside the function that needs it.
"""
