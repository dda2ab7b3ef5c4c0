"""The page in a real browser: it shows what it says, by pointer and by keyboard, and asks nobody for anything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from benchmark_cases import make_rows
from page_cases import choose, value

from benchmarks.compare.browser import resize
from benchmarks.compare.page import PAGE_NAME, render_page
from benchmarks.compare.page_data import chart_data, published_curves
from benchmarks.compare.rows import write_rows

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PUBLISHED = ("VTM (H.266)", "cheng2020-anchor")


def test_nothing_is_requested_but_the_file(open_page: Chrome, page_folder: Path) -> None:
    open_page.get_log("performance")
    open_page.refresh()
    messages = [json.loads(entry["message"])["message"] for entry in open_page.get_log("performance")]
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert (page_folder / PAGE_NAME).as_uri() in requests
    assert {url.partition(":")[0] for url in requests} <= {"file", "data"}
    assert [url for url in requests if url.startswith("file:")] == [(page_folder / PAGE_NAME).as_uri()]
    links = re.findall(r"""(?:src|href)=["']([^"']*)""", (page_folder / PAGE_NAME).read_text())
    assert links and all(link.startswith(("#", "data:")) for link in links)


def test_curves_are_drawn_and_read_by_pointer(open_page: Chrome) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    dots = open_page.find_elements(By.CSS_SELECTOR, "#rd .plot .dot")
    assert len(dots) == 5 * 5
    published = open_page.find_elements(By.CSS_SELECTOR, "#rd .published-curve")
    assert len(published) == 10
    open_page.execute_script("arguments[0].scrollIntoView({block: 'center'})", dots[0])
    ActionChains(open_page).move_to_element(dots[0]).perform()
    reading = open_page.find_element(By.CSS_SELECTOR, "#rd .reading")
    assert reading.text == "ddnc at 0: 0.025 bpp, 25 bytes, PSNR 18.00 dB"
    choose(open_page, "#rd .metric", "MS-SSIM")
    open_page.find_element(By.CSS_SELECTOR, "#rd .published").click()
    assert not open_page.find_elements(By.CSS_SELECTOR, "#rd .published-curve")
    open_page.find_element(By.CSS_SELECTOR, "#rd .legend input").click()
    assert len(open_page.find_elements(By.CSS_SELECTOR, "#rd .plot .dot")) == 4 * 5
    choose(open_page, "#rd .picture", "kodim02.png")
    ActionChains(open_page).move_to_element(open_page.find_element(By.CSS_SELECTOR, "#rd .plot .dot")).perform()
    assert re.fullmatch(r"JPEG \(libjpeg-turbo\) at 0: 0\.050 bpp, 50 bytes, MS-SSIM 0\.\d{4}", reading.text)


def test_curves_are_read_by_arrow_keys(open_page: Chrome) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    chart = open_page.find_element(By.CSS_SELECTOR, "#rd svg")
    reading = open_page.find_element(By.CSS_SELECTOR, "#rd .reading")
    open_page.execute_script("arguments[0].focus()", chart)
    for keys, codec, setting in (
        (Keys.ARROW_RIGHT, "ddnc", 1),
        (Keys.ARROW_DOWN, "JPEG (libjpeg-turbo)", 1),
        (Keys.ARROW_LEFT, "JPEG (libjpeg-turbo)", 0),
    ):
        open_page.switch_to.active_element.send_keys(keys)
        assert reading.text.startswith(f"{codec} at {setting}: ")


def test_slider_moves_by_keys_and_by_dragging(open_page: Chrome) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    slider = open_page.find_element(By.CSS_SELECTOR, ".viewer input[type=range]")
    clip = "getComputedStyle(document.querySelector('.over')).clipPath"
    assert value(open_page, clip) == "inset(0px 0px 0px 50%)"
    slider.send_keys(Keys.ARROW_RIGHT * 3)
    assert value(open_page, clip) == "inset(0px 0px 0px 53%)"
    frame = open_page.find_element(By.CSS_SELECTOR, ".viewer .frame")
    open_page.execute_script("arguments[0].scrollIntoView({block: 'center'})", frame)
    ActionChains(open_page).move_to_element(frame).click_and_hold().move_by_offset(200, 0).release().perform()
    assert 60 < float(value(open_page, "document.querySelector('.viewer input[type=range]').value")) < 90
    focus = "getComputedStyle(document.activeElement).outlineStyle"
    slider.send_keys(Keys.TAB)
    assert value(open_page, focus) == "solid"


def test_views_change_picture_codec_zoom_and_side(open_page: Chrome) -> None:
    shown = "document.querySelector('.under').complete && document.querySelector('.under').naturalWidth"
    assert value(open_page, shown) == 384
    before = value(open_page, "document.querySelector('.under').src")
    choose(open_page, ".viewer .picture", "drawn2.png")
    choose(open_page, ".viewer .left", "original")
    assert value(open_page, "document.querySelector('.under').src") != before
    choose(open_page, ".viewer .zoom", "4:1")
    assert value(open_page, "document.querySelector('.frame').getBoundingClientRect().width") == 4 * 384
    choose(open_page, ".viewer .mode", "side by side")
    left, right = "document.querySelectorAll('.stage')[0]", "document.querySelectorAll('.stage')[1]"
    open_page.execute_async_script(
        f"{right}.addEventListener('scroll', () => arguments[0](), {{once: true}}); {left}.scrollTo(99, 40)"
    )
    assert value(open_page, f"[{right}.scrollLeft, {right}.scrollTop]") == [99, 40]
    assert "original, 384" in value(open_page, "document.querySelector('.left-caption').textContent")


@pytest.mark.parametrize("width", [360, 390, 768])
def test_a_narrow_window_scrolls_only_downwards(open_page: Chrome, width: int) -> None:
    resize(open_page, width, 740)
    open_page.execute_script("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    choose(open_page, ".viewer .mode", "side by side")
    choose(open_page, ".viewer .zoom", "4:1")
    assert value(open_page, "window.innerWidth") == width
    assert value(open_page, "document.documentElement.scrollWidth") == width


def test_dark_follows_the_system_and_the_button(open_page: Chrome) -> None:
    from selenium.webdriver.common.by import By

    background = "getComputedStyle(document.body).backgroundColor"
    colors = {}
    for scheme in ("light", "dark"):
        features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        open_page.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
        colors[scheme] = value(open_page, background)
    assert colors["light"] == "rgb(255, 255, 255)" != colors["dark"]
    button = open_page.find_element(By.ID, "theme")
    for scheme in ("light", "dark"):
        button.click()
        assert value(open_page, background) == colors[scheme]
        assert button.get_attribute("aria-pressed") == str(scheme == "dark").lower()


def test_every_control_has_a_label(open_page: Chrome) -> None:
    unnamed = value(
        open_page,
        "[...document.querySelectorAll('select, input, button, svg:not([aria-hidden]), [tabindex], img[src]')]"
        ".filter((each) => "
        "!(each.labels && each.labels.length) && !each.ariaLabel && !each.alt && !each.textContent).length",
    )
    assert unnamed == 0


def test_the_page_is_a_function_of_the_folder(page_folder: Path) -> None:
    page = (page_folder / PAGE_NAME).read_text()
    assert render_page(page_folder) == page
    for name in PUBLISHED:
        assert name in page
    assert "-50.0 %" in page and "-37.5 %" in page  # half of jpeg's rate, 5/8 of webp's


def test_means_are_of_the_pictures_that_every_codec_finished() -> None:
    rows = [*make_rows("jpeg", "a.png"), *make_rows("jpeg", "b.png", rate=3), *make_rows("ddnc", "a.png")]
    series = {(each["codec"], each["picture"]): each["points"] for each in chart_data(rows, None)["series"]}
    assert series["jpeg", ""] == series["jpeg", "a.png"]
    assert series["jpeg", "b.png"][0] == [0.15, 18, 0, 150]
    assert ("ddnc", "b.png") not in series


def test_published_figures_of_pictures_are_means_over_the_same_pictures() -> None:
    rows = [row for image in ("kodim01.png", "kodim13.png") for row in make_rows("ddnc", image)]
    published = published_curves(rows)
    assert published is not None
    curves = {curve["name"]: curve for curve in published["curves"]}
    assert curves["Cool-chic 5.0"]["bpp"][0] == pytest.approx((0.093285 + 0.171474) / 2)
    assert [name for name, curve in curves.items() if curve["same_pictures"]] == ["Cool-chic 5.0"]
    assert all(curve["bpp"] == sorted(curve["bpp"]) for curve in curves.values())
    assert published_curves(make_rows("ddnc", "a.png")) is None


def test_sections_without_data_are_left_out(tmp_path: Path) -> None:
    write_rows(tmp_path / "rd.csv", [*make_rows("jpeg"), *make_rows("ddnc", rate=0.5)])
    page = render_page(tmp_path)
    for section, wanted in (("curves", 1), ("bd", 1), ("views", 0), ("progressive", 0), ("small", 0), ("costs", 1)):
        assert page.count(f'<section id="{section}">') == wanted
    assert not any(name in page for name in PUBLISHED)
