"""The steps of pictures are gone through without a script, and none of a run's runs."""

from __future__ import annotations

import numpy as np
import pytest

import nbtrack

pytestmark = pytest.mark.browser
SCRIPT = (
    "<script>parent.owned = top.owned = 1</script><img src=x onerror='top.owned=1'>"
)


def test_steps_are_shown_one_at_a_time_and_no_script_runs(store_path, chromium):
    with nbtrack.start("a") as run:
        for step in range(3):
            run.log_image(np.full((4, 4), step / 3), "sample", caption=f"number {step}")
        run.log_html(SCRIPT + "<p>harmless</p>", "html")
        run.log_text(SCRIPT, "text")
    page = chromium.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(nbtrack.show_media(run)._repr_html_())
    frame = page.frame_locator("iframe")
    shown = frame.get_by_text("number 2")
    shown.wait_for(timeout=10_000)
    assert not frame.get_by_text("number 0").is_visible()
    frame.locator("input[title='step 0']").first.wait_for(state="attached")
    sample = frame.locator("div", has=frame.locator("h4", has_text="sample")).last
    sample.locator("input[title='step 2']").focus()
    page.keyboard.press("ArrowLeft")
    frame.get_by_text("number 1").wait_for(timeout=5_000)
    assert not shown.is_visible()
    inner = frame.frame_locator("iframe")
    inner.get_by_text("harmless").wait_for(timeout=5_000)
    assert page.evaluate("window.owned") is None
    assert [url for url in asked if url.startswith("http")] == []
    page.close()
