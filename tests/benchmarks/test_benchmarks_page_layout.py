"""The page at the widths of a phone, a tablet and a desktop, in both themes: nothing overlaps, all can be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from page_cases import choose, value

from benchmarks.compare.browser import resize
from benchmarks.compare.page import PAGE_NAME

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.parametrize("width", [390, 768, 1280])
TEXTS = """
const shown = (node) => node.offsetParent !== null || node instanceof SVGElement;
const own = (node) => [...node.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
const texts = [...document.body.querySelectorAll('*')].filter((node) => own(node) && shown(node)
  && !['SCRIPT', 'OPTION', 'STYLE'].includes(node.tagName) && !node.closest('.skip, [hidden]'));
"""
LEVEL = """
const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
const light = (rgb) => rgb.slice(0, 3).map((each) => each / 255)
  .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
  .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
const toRgb = (text) => {
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d');
  pen.fillStyle = text;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data];
};
const behind = (node) => {
  for (let each = node; each; each = each.parentElement) {
    const color = toRgb(getComputedStyle(each).backgroundColor);
    if (color[3] === 255) return color;
  }
  return [255, 255, 255];
};
const contrast = (node) => {
  const style = getComputedStyle(node);
  const ink = toRgb(node instanceof SVGElement ? style.fill : style.color);
  const [one, other] = [light(ink), light(behind(node))].sort();
  return (other + 0.05) / (one + 0.05);
};
"""


@pytest.fixture(params=["light", "dark"])
def sized_page(open_page: Chrome, width: int, request: pytest.FixtureRequest) -> Chrome:
    resize(open_page, width, 900)
    scheme = {"features": [{"name": "prefers-color-scheme", "value": request.param}]}
    open_page.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    open_page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))")
    return open_page


def run(chrome: Chrome, script: str) -> Any:
    return chrome.execute_script(script)


def test_texts_are_large_enough_and_in_contrast(sized_page: Chrome) -> None:
    script = (
        TEXTS + "return texts.map((node) => [node.textContent.trim(), parseFloat(getComputedStyle(node).fontSize)])"
    )
    sizes = run(sized_page, script)
    assert len(sizes) > 100
    assert [each for each in sizes if each[1] < 11] == []
    weak = run(sized_page, TEXTS + LEVEL + "return texts.filter((node) => contrast(node) < 4.5)"
               ".map((node) => [node.textContent.trim().slice(0, 40), contrast(node)])")  # fmt: skip
    assert weak == []


def test_texts_of_charts_neither_overlap_nor_are_cut(sized_page: Chrome) -> None:
    problems = run(
        sized_page,
        """
        const problems = [];
        for (const svg of document.querySelectorAll('.chart .plot svg')) {
          const frame = svg.getBoundingClientRect();
          const boxes = [...svg.querySelectorAll('text')]
            .map((text) => [text.textContent, text.getBoundingClientRect()]);
          boxes.forEach(([text, box], index) => {
            if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
                || box.bottom > frame.bottom + 1) problems.push(`cut: ${text}`);
            for (const [other, next] of boxes.slice(index + 1)) {
              const across = Math.min(box.right, next.right) - Math.max(box.left, next.left);
              const down = Math.min(box.bottom, next.bottom) - Math.max(box.top, next.top);
              if (across > 1 && down > 3) problems.push(`overlap: ${text} and ${other}`);
            }
          });
        }
        return problems;
        """,
    )
    assert problems == []


def test_nothing_is_wider_than_its_place(sized_page: Chrome, width: int) -> None:
    assert value(sized_page, "document.documentElement.scrollWidth") == width
    cut = run(
        sized_page,
        TEXTS
        + """
        return texts.filter((node) => !(node instanceof SVGElement) && !node.closest('.wide, .passes, .stage')
          && (node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0
              || node.getBoundingClientRect().right > innerWidth + 1))
          .map((node) => node.textContent.trim());
        """,
    )
    assert cut == []


def test_the_viewer_opens_on_ddnc_against_avif_where_both_have_the_size(sized_page: Chrome) -> None:
    chosen = [
        value(sized_page, f"document.querySelector('.viewer .{name}').value") for name in ("target", "left", "right")
    ]
    assert chosen == ["0.25", "ddnc", "avif"]
    assert value(sized_page, "document.querySelector('.frame').getBoundingClientRect().height") <= 0.8 * 900 + 1


def test_a_link_to_a_view_opens_it(sized_page: Chrome, page_folder: Path) -> None:
    choose(sized_page, ".viewer .picture", "drawn2.png")
    choose(sized_page, ".viewer .zoom", "4:1")
    choose(sized_page, ".viewer .mode", "difference, 8 times")
    sized_page.execute_async_script(
        "const stage = document.querySelector('.stage');"
        "stage.addEventListener('scroll', () => arguments[0](), {once: true}); stage.scrollTo(120, 60)"
    )
    link = value(sized_page, "document.querySelector('.viewer .link').getAttribute('href')")
    crop = "[document.querySelector('.stage').scrollLeft, document.querySelector('.stage').scrollTop]"
    place = value(sized_page, crop)
    sized_page.get("about:blank")
    sized_page.get((page_folder / PAGE_NAME).as_uri() + link)
    chosen = [
        value(sized_page, f"document.querySelector('.viewer .{name}').value") for name in ("picture", "zoom", "mode")
    ]
    assert chosen == ["drawn2.png", "4", "difference"]
    assert value(sized_page, crop) == pytest.approx(place, abs=3)


def test_flicker_shows_one_picture_and_then_the_other(sized_page: Chrome) -> None:
    border = "document.querySelector('.viewer input[type=range]').value"
    run(sized_page, "document.querySelector('.viewer .flicker').focus()")
    shown = []
    for _ in range(2):
        sized_page.switch_to.active_element.send_keys("f")
        shown.append(value(sized_page, border))
    assert shown == ["0", "100"]


def test_tables_sort_by_their_heads_and_keep_the_focus(sized_page: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    first = "document.querySelector('#heat tbody th').textContent"
    run(sized_page, "document.querySelector('#heat [data-sort=webp]').focus()")
    seen = []
    for _ in range(2):
        sized_page.switch_to.active_element.send_keys(Keys.ENTER)
        seen.append(value(sized_page, first))
    assert value(sized_page, "document.activeElement.dataset.sort") == "webp"
    assert value(sized_page, "document.activeElement.closest('th').ariaSort") == "descending"
    assert sorted(seen) == ["kodim01.png", "kodim02.png"]


def test_the_value_stands_next_to_the_pointer(sized_page: Chrome, width: int) -> None:
    run(sized_page, "document.querySelector('#rd svg').scrollIntoView({block: 'center'})")
    run(sized_page, "document.querySelector('#rd .linear').click()")
    dot = "document.querySelectorAll('#rd .plot .dot')[4].getBoundingClientRect()"
    x, y = value(sized_page, f"[{dot}.x + 3, {dot}.y + 3]")
    event = f"new PointerEvent('pointermove', {{clientX: {x}, clientY: {y}}})"
    run(sized_page, f"document.querySelector('#rd svg').dispatchEvent({event})")
    tip = value(sized_page, "document.querySelector('#rd .tip').getBoundingClientRect().toJSON()")
    assert tip["left"] >= 0 and tip["right"] <= width
    assert abs(tip["top"] - y) < 60 or abs(tip["bottom"] - y) < 60
    assert value(sized_page, "document.querySelector('#rd .tip').textContent").startswith("ddnc at 4: 0.400 bpp")
