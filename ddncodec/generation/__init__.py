"""What a Discrete Distribution Network can do besides coding: sampling, guidance, trees and retrieval.

Imports `codec` and what it stands on.
"""
