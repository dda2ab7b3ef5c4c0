"""The kernels of the processor compute what the network itself does, in every kind of network and whatever the batch.

Tolerances: 1e-4 of samples in [-1, 1] in float32; in bfloat16, five times what autocast to it deviates by.
"""

from __future__ import annotations

import pytest
import torch
from test_model_network import CONFIGS, LAMBDAS, build, random_indices, walk

from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig, State, fused, kernels
from ddncodec.model.backend import PlainBackend, backend_of
from ddncodec.model.fused import FusedBackend
from ddncodec.model.gram import moments

CPU = torch.device("cpu")
BLOCKLESS = NetworkConfig(
    (
        StageConfig(
            stride=4,
            channels=8,
            features=2,
            basis=6,
            levels=(LevelConfig(16, 4), LevelConfig(8, 4, block=False), LevelConfig(4, 3, 0, block=False)),
        ),
    )
)
NAMES = [*sorted(CONFIGS), "without blocks"]
LAMBDA_PAIRS = {"equal": torch.tensor([700.0, 700.0]), "different": LAMBDAS}

pytestmark = pytest.mark.skipif(not kernels.usable(), reason="torch has no oneDNN here")


@pytest.fixture(autouse=True)
def blockless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONFIGS, "without blocks", BLOCKLESS)


def follow(backend: FusedBackend | PlainBackend, lambdas: torch.Tensor, indices: list[torch.Tensor]) -> list[State]:
    """Copies of the states after each level of pictures of 64 x 32."""
    with torch.inference_mode():
        state, out = backend.network.initial_state(lambdas, 64, 32), []
        for each in indices:
            state = backend.follow(state, each)
            out.append(State(state.level, state.hidden.clone(), state.image.clone(), state.rate_condition))
    return out


def trained(name: str) -> DiscreteDistributionNetwork:
    return build(name).requires_grad_(False).eval()


def plain(network: DiscreteDistributionNetwork, precision: torch.dtype = torch.float32) -> PlainBackend:
    return PlainBackend(network, CPU, precision)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lambdas", LAMBDA_PAIRS)
def test_a_decoder_computes_the_same(name: str, lambdas: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = trained(name)
    indices = random_indices(network, 64, 32)
    expected = follow(plain(network), LAMBDA_PAIRS[lambdas], indices)
    for strip, chunk in ((1, 1), (1 << 11, 1 << 8), (fused.STRIP_NUMBERS, fused.CHUNK_NUMBERS)):
        monkeypatch.setattr(fused, "STRIP_NUMBERS", strip)
        monkeypatch.setattr(fused, "CHUNK_NUMBERS", chunk)
        for state, other in zip(follow(FusedBackend(network, torch.float32), LAMBDA_PAIRS[lambdas], indices), expected):
            assert state.level == other.level
            torch.testing.assert_close(state.image, other.image, rtol=0, atol=1e-4)
            torch.testing.assert_close(state.hidden, other.hidden, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_an_encoder_computes_the_same(name: str) -> None:
    network = trained(name)
    indices, backend = random_indices(network, 32, 32), FusedBackend(network, torch.float32)
    random = torch.Generator().manual_seed(3)
    with torch.inference_mode():
        state, other = (network.initial_state(LAMBDAS, 32, 32) for _ in range(2))
        for each in indices:
            proposal, expected = backend.propose(state), network.propose(other)
            assert proposal.features.grid == expected.features.grid
            torch.testing.assert_close(proposal.image, expected.image, rtol=0, atol=1e-4)
            layer = network.layer(state.level)
            residual = torch.randn(*each.shape, (4 * layer.side) ** 2, 3, generator=random)
            sums = moments(proposal.features, residual)
            torch.testing.assert_close(sums, moments(expected.features, residual), rtol=1e-3, atol=1e-3)
            before = proposal.image.clone()
            state, other = backend.advance(proposal, each), network.advance(expected, each)
            assert torch.equal(proposal.image, before), "proposals stay as they are"
            torch.testing.assert_close(backend.render(state), network.render(other), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_deviates_no_more_than_autocast_does(name: str) -> None:
    if not kernels.usable(torch.bfloat16):
        pytest.skip("torch has no bfloat16 convolutions here")
    network = trained(name)
    indices = random_indices(network, 64, 32)
    exact, autocast = (
        follow(plain(network, precision), LAMBDAS, indices)[-1].image for precision in (torch.float32, torch.bfloat16)
    )
    found = follow(FusedBackend(network, torch.bfloat16), LAMBDAS, indices)[-1].image
    assert (found - exact).square().mean() <= 5**2 * (autocast - exact).square().mean() + 1e-8


def test_one_picture_is_computed_as_in_a_batch() -> None:
    network = trained("tiny")
    indices, backend = random_indices(network, 64, 32), FusedBackend(network, torch.float32)
    together = follow(backend, LAMBDAS, indices)[-1].image
    alone = follow(backend, LAMBDAS[1:], [each[1:] for each in indices])[-1].image
    torch.testing.assert_close(alone[0], together[1], rtol=0, atol=1e-5)


def test_without_the_kernels_the_network_itself_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    network = trained("tiny")
    assert isinstance(backend_of(network, CPU, torch.float32), FusedBackend)
    monkeypatch.setattr(kernels, "usable", lambda dtype: False)
    assert isinstance(backend_of(network, CPU, torch.float32), PlainBackend)


def test_where_gradients_are_wanted_torch_multiplies() -> None:
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert not kernels.serves(x)
    with torch.inference_mode():
        assert kernels.serves(x)
        assert not kernels.serves(x.double())


def test_walks_of_both_backends_render_equal_pictures() -> None:
    network = trained("three stages")
    indices = random_indices(network, 64, 32)
    with torch.no_grad():
        expected = network.render(walk(network, indices, 64, 32)[-1])
    backend = FusedBackend(network, torch.float32)
    found = backend.render(follow(backend, LAMBDAS, indices)[-1])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
