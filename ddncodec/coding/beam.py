"""Beam search over the indices of a picture that is one cell."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bitstream import Header, Planes
from ddncodec.coding.engine import Engine, lambda_step_of
from ddncodec.coding.rate import value_bits
from ddncodec.coding.selection import price_unit
from ddncodec.model.cells import pack, shrink, to_cells
from ddncodec.model.gram import cost_changes, moments, terms


def is_one_cell(engine: Engine, header: Header) -> bool:
    """Whether every level of the picture, padded as the network needs it, is a single cell."""
    side = engine.model.network.config.alignment
    fits = header.width <= side and header.height <= side
    return fits and all(level.cell == side for level in engine.model.info.layout)


@torch.inference_mode()
def search_planes(engine: Engine, picture: Tensor, header: Header, price: Tensor, beam: int) -> Planes:
    """The index planes of one picture (1, 3, H, W) of one cell, samples in [-1, 1], at the lambda `price` (1,).

    At every level the `beam` best of all continuations of those before are kept; best is the least squared error plus
    lambda times the bits of the values.
    """
    network, state = engine.model.network, engine.start([header])
    paths, spent = (
        torch.zeros(1, 0, dtype=torch.int64, device=engine.device),
        torch.zeros(1, dtype=torch.float32, device=engine.device),
    )
    for level, shape in enumerate(engine.model.info.layout):
        scale = network.scale(level)
        proposal, layer = engine.propose(state), network.layer(level)
        residual = to_cells(pack(shrink(picture, scale)) - proposal.image, layer.side, layer.colors)
        cells, candidates = moments(proposal.features, residual), terms(layer.codebook, layer.cosines)
        bits = value_bits(engine.model.tables[level], lambda_step_of(header)).to(engine.device)
        unit = price_unit(price, scale)
        change = torch.cat(list(cost_changes(cells.flatten(0, 2), candidates, unit * bits)))
        cost = residual.square().flatten(1).sum(1)[:, None] + change + unit * spent[:, None]
        best = cost.flatten().topk(min(beam, cost.numel()), largest=False).indices
        parents, indices = best // shape.outputs, best % shape.outputs
        state = engine.backend.advance(proposal.take(parents), indices[:, None, None])
        paths, spent = torch.cat([paths[parents], indices[:, None]], dim=1), spent[parents] + bits[indices]
    return [np.array([[index]], dtype=np.int32) for index in paths[0].tolist()]
