"""The network: torch only, no files and no search.

`config` says its shape, `cells` and `gram` hold the arithmetic, `layer` one level, `network` the walk through all.
May import `ddncodec.errors` and torch, nothing else of the project.
"""

from ddncodec.model.config import LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.network import DiscreteDistributionNetwork, Proposal, State

__all__ = ["DiscreteDistributionNetwork", "LevelConfig", "NetworkConfig", "Proposal", "StageConfig", "State"]
