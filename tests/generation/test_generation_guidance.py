"""Guidance chooses the best candidates of any score, cell by cell where the score is local, in bounded memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from drawing import draw_picture
from PIL import Image
from torch import Tensor

from bitstream import Header, LevelTables
from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError
from ddncodec.generation import guidance
from ddncodec.generation.guidance import Guide, guided_planes, search_weights
from ddncodec.generation.sampling import draw_planes
from ddncodec.generation.tasks import TASKS
from ddncodec.model import DiscreteDistributionNetwork, LevelConfig, NetworkConfig, StageConfig
from ddncodec.model.condition import edges_of
from ddncodec.zoo.loading import save_model


def header_of(codec: Codec, width: int, height: int) -> Header:
    return Header(codec.info.identity, width, height, lambda_step=codec.lambda_step(90))


def darkness(pictures: Tensor) -> Tensor:
    return pictures.mean(dim=(1, 2, 3))


def squared_error(picture: np.ndarray) -> guidance.Scorer:
    wanted = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    return lambda candidates: (candidates - wanted).square().mean(dim=1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """A model with one cell in a picture of 16 x 16, of random weights."""
    levels = tuple(LevelConfig(16, 6) for _ in range(3))
    network = DiscreteDistributionNetwork(
        NetworkConfig((StageConfig(stride=4, channels=8, features=2, basis=6, levels=levels),)),
        torch.Generator().manual_seed(7),
    )
    path = tmp_path_factory.mktemp("whole") / "whole.safetensors"
    save_model(path, network, tuple(LevelTables.flat(6) for _ in levels), name="whole", about="random")
    return Codec(path)


def test_the_nearest_candidates_of_every_cell_reconstruct_a_picture(tiny_codec: Codec) -> None:
    picture = draw_picture(40, 56, 3)
    header = header_of(tiny_codec, 56, 40)
    planes = guided_planes(tiny_codec.engine, Guide((squared_error(picture),)), header, np.random.default_rng(0))
    guided = tiny_codec.engine.replay([planes], [header])[0].astype(float)
    chosen = tiny_codec.planes(tiny_codec.encode(picture, 100))
    encoded = tiny_codec.engine.replay([chosen], [header])[0].astype(float)
    assert np.square(guided - picture).mean() < 1.1 * np.square(encoded - picture).mean()


def test_a_score_of_whole_pictures_steers_a_model_of_one_cell(whole: Codec) -> None:
    header = header_of(whole, 16, 16)
    means = []
    for sign in (1, -1):
        guide = Guide((lambda pictures, sign=sign: sign * darkness(pictures),))
        planes = guided_planes(whole.engine, guide, header, np.random.default_rng(0))
        means.append(whole.engine.replay([planes], [header])[0].mean())
    assert means[0] < means[1] - 5


def test_chunks_change_nothing_and_bound_what_a_scorer_sees(whole: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    header, seen = header_of(whole, 16, 16), []

    def scorer(pictures: Tensor) -> Tensor:
        seen.append(len(pictures))
        return darkness(pictures)

    one = guided_planes(whole.engine, Guide((scorer,)), header, np.random.default_rng(0))
    assert max(seen) == 6
    monkeypatch.setattr(guidance, "CHUNK_PIXELS", 2 * 16 * 16)
    seen.clear()
    other = guided_planes(whole.engine, Guide((scorer,)), header, np.random.default_rng(0))
    assert max(seen) == 2 and sum(seen) == 3 * 6
    assert all(np.array_equal(a, b) for a, b in zip(one, other))


def test_pools_give_another_picture_with_every_seed(whole: Codec) -> None:
    header, guide = header_of(whole, 16, 16), Guide((darkness,), pool=2)
    outcomes = {
        tuple(int(plane[0, 0]) for plane in guided_planes(whole.engine, guide, header, np.random.default_rng(seed)))
        for seed in range(12)
    }
    assert len(outcomes) > 2


def test_more_rounds_never_score_worse(whole: Codec) -> None:
    picture = draw_picture(16, 16, 5)
    header, error = header_of(whole, 16, 16), squared_error(picture)

    def score(rounds: int, seed: int) -> float:
        guide = Guide((lambda p: error(p).mean(dim=(1, 2)),), pool=3, rounds=rounds)
        planes = guided_planes(whole.engine, guide, header, np.random.default_rng(seed))
        pixels = torch.from_numpy(whole.engine.replay([planes], [header])[0]).permute(2, 0, 1)[None].float() / 255
        return float(error(pixels).mean())

    one, three = ([score(rounds, seed) for seed in range(8)] for rounds in (1, 3))
    assert all(late <= early + 1e-5 for early, late in zip(one, three))
    assert sum(three) < sum(one) - 1e-4


def test_weights_decide_between_scorers(whole: Codec) -> None:
    header = header_of(whole, 16, 16)

    def brightness(weights: tuple[float, float]) -> float:
        guide = Guide((darkness, lambda p: -100 * darkness(p)), weights)
        planes = guided_planes(whole.engine, guide, header, np.random.default_rng(0))
        return float(whole.engine.replay([planes], [header])[0].mean())

    assert brightness((2.0, 1.0)) < brightness((1.0, 2.0)), "scale of a score does not count, its weight does"


def test_the_search_doubles_one_weight_at_a_time() -> None:
    judged: list[tuple[float, ...]] = []

    def judge(weights: tuple[float, ...]) -> float:
        judged.append(weights)
        return abs(weights[0] - 1) + abs(weights[1] - 0.25)

    assert search_weights(judge, 2) == (1.0, 0.25)
    assert judged[:3] == [(0.25, 0.25), (0.5, 0.25), (0.25, 0.5)]
    assert len(judged) == 1 + 3 * 2, "two doublings help, the third round finds none that does"
    judged.clear()
    assert search_weights(judge, 2, limit=3) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("scorer", "message"),
    [(darkness, "cannot choose in 3 x 4 cells"), (lambda p: p[:, 0, 0], "returned"), (lambda p: p, "returned")],
)
def test_scores_that_do_not_fit_are_refused(tiny_codec: Codec, scorer: guidance.Scorer, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        guided_planes(tiny_codec.engine, Guide((scorer,)), header_of(tiny_codec, 56, 40), np.random.default_rng(0))


@pytest.mark.parametrize(
    "options", [{"weights": (1.0, 2.0)}, {"pool": 1}, {"rounds": 0}, {"late": 0}, {"scorers": (), "weights": ()}]
)
def test_guides_check_their_numbers(options: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=f"`{list(options)[-1]}`"):
        Guide(**{"scorers": (darkness,), **options})  # type: ignore[arg-type]


def test_rounds_need_one_cell_a_picture(tiny_codec: Codec) -> None:
    with pytest.raises(ArgumentError, match="`rounds`"):
        guide = Guide((lambda p: p[:, 0],), rounds=2)
        guided_planes(tiny_codec.engine, guide, header_of(tiny_codec, 56, 40), np.random.default_rng(0))


@pytest.mark.parametrize("task", TASKS)
def test_guided_pictures_meet_their_condition(tiny_codec: Codec, task: str) -> None:
    original = Image.fromarray(draw_picture(40, 56, 9))
    given = {
        "super-resolution": original.resize((14, 10), Image.Resampling.BOX),
        "colorize": original.convert("L"),
        "inpaint": with_hole(original),
        "edges": edge_picture(original),
    }[task]
    condition = TASKS[task](given, 4)
    assert (condition.width, condition.height) == (56, 40)
    assert condition.error(np.asarray(original)) < 0.01
    header = header_of(tiny_codec, 56, 40)
    engine, random = tiny_codec.engine, np.random.default_rng(0)
    guided = guided_planes(engine, Guide((condition.scorer,)), header, random)
    drawn = draw_planes(tiny_codec.info.layout, engine.model.tables, header, random, "uniform")
    found, by_chance = (condition.error(engine.replay([planes], [header])[0]) for planes in (guided, drawn))
    assert found < 0.8 * by_chance


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_inpainting_needs_something_missing(mode: str) -> None:
    with pytest.raises(ArgumentError, match="transparen"):
        TASKS["inpaint"](Image.new(mode, (8, 8)).convert("RGB").convert(mode), 4)


def test_super_resolution_checks_its_factor() -> None:
    with pytest.raises(ArgumentError, match="`factor`"):
        TASKS["super-resolution"](Image.new("RGB", (8, 8)), 1)


def with_hole(picture: Image.Image) -> Image.Image:
    mask = Image.new("L", picture.size, 255)
    mask.paste(0, (10, 10, 30, 30))
    holed = picture.copy()
    holed.putalpha(mask)
    return holed


def edge_picture(picture: Image.Image) -> Image.Image:
    samples = torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1)[None]
    return Image.fromarray((edges_of(samples)[0] * 255).round().byte().numpy())


def test_commands_write_pictures(tmp_path: Path, tiny_path: Path) -> None:
    from click.testing import CliRunner

    from ddncodec.cli.main import main

    given = tmp_path / "gray.png"
    Image.fromarray(draw_picture(40, 56, 9)).convert("L").save(given)
    commands = {
        "sample.png": ["sample", "--count", "5", "--size", "24x16"],
        "tree.png": ["tree", "--levels", "2"],
        "guided.png": ["guide", "--task", "colorize", "--input", str(given)],
    }
    for name, words in commands.items():
        out = str(tmp_path / name)
        result = CliRunner().invoke(main, [*words, "--model", str(tiny_path), "-o", out], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert result.output.startswith(out)
    sizes = {}
    for name in commands:
        with Image.open(tmp_path / name) as picture:
            sizes[name] = picture.size
    assert sizes == {"sample.png": (24 * 3 + 4, 16 * 2 + 2), "tree.png": (144, 144), "guided.png": (56, 40)}
