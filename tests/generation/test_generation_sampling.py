"""Samples are streams that nobody encoded: drawn by seed, by the tables or evenly, and decodable as they are."""

from __future__ import annotations

import numpy as np
import pytest

import bitstream
from bitstream import Header, grid
from bitstream.tables import PROBABILITY_ONE
from ddncodec.codec import Codec
from ddncodec.errors import ArgumentError
from ddncodec.generation.sampling import GAP, draw_planes, sheet, value_probabilities
from ddncodec.generation.tree import CHILDREN, children, draw_tree


def header_of(codec: Codec, width: int = 80, height: int = 64) -> Header:
    return Header(codec.info.identity, width, height, coded=True, lambda_step=codec.lambda_step(60))


@pytest.mark.parametrize("draw", ["tables", "uniform"])
def test_samples_are_a_function_of_the_seed(tiny_codec: Codec, draw: str) -> None:
    header, tables = header_of(tiny_codec), tiny_codec.engine.model.tables
    one, same, other = (
        draw_planes(tiny_codec.info.layout, tables, header, np.random.default_rng(seed), draw) for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, same))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other))
    for plane, level in zip(one, tiny_codec.info.layout):
        assert plane.shape == grid(level, 80, 64)
        assert plane.min() >= 0 and plane.max() < level.outputs


def test_a_sample_is_a_stream(tiny_codec: Codec) -> None:
    header, engine = header_of(tiny_codec), tiny_codec.engine
    planes = draw_planes(tiny_codec.info.layout, engine.model.tables, header, np.random.default_rng(3))
    passes = bitstream.encode_planes(planes, tiny_codec.info.layout, header, engine.model.tables)
    decoded = tiny_codec.decode(bitstream.write_stream(header, passes))
    np.testing.assert_array_equal(np.asarray(decoded), engine.replay([planes], [header])[0])


def test_uniform_draws_give_every_index_its_share(tiny_codec: Codec) -> None:
    header = header_of(tiny_codec, 512, 512)
    tables = tiny_codec.engine.model.tables
    planes = draw_planes(tiny_codec.info.layout, tables, header, np.random.default_rng(4), "uniform")
    counts = np.bincount(planes[-1].ravel(), minlength=tiny_codec.info.layout[-1].outputs)
    assert abs(counts / planes[-1].size - 1 / len(counts)).max() < 0.01


def test_table_draws_follow_the_values_of_the_tables(tiny_codec: Codec) -> None:
    header, tables = header_of(tiny_codec, 1024, 1024), tiny_codec.engine.model.tables
    planes = draw_planes(tiny_codec.info.layout, tables, header, np.random.default_rng(5))
    taken = planes[-1][planes[-1] > 0] - 1
    share = value_probabilities(tables[-1], header.lambda_step)
    assert share.sum() == pytest.approx(1) and share.min() >= 1 / PROBABILITY_ONE
    deviation = 5 * np.sqrt(share / taken.size) + 5 / taken.size
    assert (abs(np.bincount(taken, minlength=len(share)) / taken.size - share) < deviation).all()


def test_samples_cost_what_the_tables_promise(tiny_codec: Codec) -> None:
    """Streams of samples are as long as their entropy; an index drawn from other chances would cost more."""
    header, tables, layout = header_of(tiny_codec, 512, 512), tiny_codec.engine.model.tables, tiny_codec.info.layout
    sizes = {}
    for draw in ("tables", "uniform"):
        planes = draw_planes(layout, tables, header, np.random.default_rng(6), draw)
        passes = bitstream.encode_planes(planes, layout, header, tables)
        sizes[draw] = len(bitstream.write_stream(header, passes))
    assert sizes["tables"] < sizes["uniform"]


def test_an_unknown_draw_is_refused(tiny_codec: Codec) -> None:
    with pytest.raises(ArgumentError, match=r"`draw` \(='best'\)"):
        draw_planes(tiny_codec.info.layout, (), header_of(tiny_codec), np.random.default_rng(0), "best")


def test_a_sheet_shows_pictures_in_rows() -> None:
    pictures = [np.full((4, 6, 3), value, np.uint8) for value in (10, 20, 30)]
    shown = sheet(pictures)
    assert shown.shape == (8 + GAP, 12 + GAP, 3)
    assert (shown[:4, :6] == 10).all() and (shown[:4, 6 + GAP :] == 20).all() and (shown[4 + GAP :, :6] == 30).all()
    assert (shown[4 : 4 + GAP] == 255).all() and (shown[4 + GAP :, 6 + GAP :] == 255).all()


def test_a_tree_nests_children_around_their_parent(tiny_codec: Codec) -> None:
    engine, step = tiny_codec.engine, tiny_codec.lambda_step(60)
    picture = draw_tree(engine, 16, 2, step)
    assert picture.shape == (144, 144, 3)
    header = Header(bytes(8), 16, 16, lambda_step=step)

    def decode(*path: int) -> np.ndarray:
        return engine.replay([[np.full((1, 1), index, np.int32) for index in path]], [header])[0]

    np.testing.assert_array_equal(picture[16:32, 16:32], decode(0))
    np.testing.assert_array_equal(picture[16:32, 64:80], decode(1))
    np.testing.assert_array_equal(picture[:16, :16], decode(0, 0))
    np.testing.assert_array_equal(picture[:16, 128:144], decode(2, 2))
    assert (picture[96:] == 255).all(axis=-1).mean() > 0.5, "K = 4 leaves four fields empty"


def test_levels_with_many_outputs_show_the_most_probable(tiny_codec: Codec) -> None:
    engine, step = tiny_codec.engine, tiny_codec.lambda_step(60)
    shown = children(engine, 3, step)
    share = value_probabilities(engine.model.tables[3], step)
    assert len(shown) == CHILDREN and shown == sorted(shown) and 0 not in shown
    assert share[np.array(shown) - 1].min() >= np.delete(share, np.array(shown) - 1).max()


@pytest.mark.parametrize(("levels", "message"), [(0, "`levels`"), (5, "`levels`"), (3, "several cells of 8")])
def test_trees_need_one_cell_a_picture(tiny_codec: Codec, levels: int, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        draw_tree(tiny_codec.engine, 16, levels, 128)
