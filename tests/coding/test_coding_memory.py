"""What a walk through the levels leaves behind is let go: memory does not grow with the number of levels."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor

from ddncodec.codec import Codec
from ddncodec.model import Proposal, State
from ddncodec.model.backend import Backend


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch, tiny_codec: Codec) -> list[tuple[int, int]]:
    """States and proposals that are alive whenever a level begins."""
    made: list[weakref.ref[State | Proposal]] = []
    found: list[tuple[int, int]] = []
    backend = type(tiny_codec.engine.backend)
    propose, advance, follow = backend.propose, backend.advance, backend.follow

    def count() -> None:
        held = [each for each in (ref() for ref in made) if each is not None]
        found.append(tuple(sum(isinstance(each, kind) for each in held) for kind in (State, Proposal)))

    def proposing(backend: Backend, state: State) -> Proposal:
        count()
        proposal = propose(backend, state)
        made.append(weakref.ref(proposal))
        return proposal

    def advancing(backend: Backend, proposal: Proposal, indices: Tensor) -> State:
        state = advance(backend, proposal, indices)
        made.append(weakref.ref(state))
        return state

    def following(backend: Backend, state: State, indices: Tensor) -> State:
        count()
        state = follow(backend, state, indices)
        made.append(weakref.ref(state))
        return state

    monkeypatch.setattr(backend, "propose", proposing)
    monkeypatch.setattr(backend, "advance", advancing)
    monkeypatch.setattr(backend, "follow", following)
    return found


def test_a_level_begins_with_the_last_state_alone(
    tiny_codec: Codec, drawn_picture: Callable[[int, int, int], np.ndarray], alive: list[tuple[int, int]]
) -> None:
    data = tiny_codec.encode(drawn_picture(64, 64, 1), effort=1)
    tiny_codec.decode(data)
    levels = len(tiny_codec.info.layout)
    assert alive == 2 * [(0, 0), *[(1, 0)] * (levels - 1)]


def test_looking_ahead_holds_one_state_and_one_proposal_more(
    tiny_codec: Codec, drawn_picture: Callable[[int, int, int], np.ndarray], alive: list[tuple[int, int]]
) -> None:
    tiny_codec.encode(drawn_picture(64, 64, 1), effort=9)
    assert len(alive) > len(tiny_codec.info.layout)
    assert max(states for states, _ in alive) == 2
    assert max(proposals for _, proposals in alive) == 1
