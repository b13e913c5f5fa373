"""The accessibility problems that axe finds on a page and calls serious or critical."""

from __future__ import annotations

from typing import Any, NamedTuple

from axe_playwright_python.sync_playwright import Axe

SERIOUS = ("serious", "critical")
CONTRAST = "color-contrast"

# Contrast takes nine tenths of axe's time, because axe finds the background of each text.  Texts
# with the same look have the same contrast, so only the first text of each look is marked.  A look
# is the text's colour, size and weight, and the backgrounds and opacities behind it.  An element
# that is drawn over something other than its parents (a label on a figure) has its own look.
MARK_LOOKS = """() => {
  const known = new Map(), looks = new Set();
  const background = (e) => {
    if (!e) return "";
    if (!known.has(e)) {
      const { backgroundColor, backgroundImage, opacity, position } = getComputedStyle(e);
      const over = ["absolute", "fixed", "sticky"].includes(position) ? known.size : "";
      const own = [backgroundColor, backgroundImage, opacity, over].join();
      const transparent = own === "rgba(0, 0, 0, 0),none,1,";
      const behind = background(e.parentElement);
      known.set(e, transparent ? behind : behind + "|" + own);
    }
    return known.get(e);
  };
  const hasText = (e) => e.matches("input, select, textarea, button") ||
    [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim() !== "");
  for (const e of document.body.querySelectorAll("*")) {
    e.removeAttribute("data-look");
    const shown = e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
    if (!shown || !hasText(e)) continue;
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(e);
    const look = [color, fontSize, fontWeight, textShadow, background(e)].join();
    if (looks.has(look)) continue;
    looks.add(look);
    e.setAttribute("data-look", "");
  }
  return looks.size;
}"""


class Violation(NamedTuple):
    rule: str
    element: str
    why: str
    own: bool  # the book's own text, not the theme's frame around it


def run(page: Any, context: object, options: dict[str, Any]) -> list[Violation]:
    response = page.evaluate(
        "([context, options]) => axe.run(context ?? document, options)",
        [context, {"resultTypes": ["violations"], **options}],
    )
    within = "(selector) => Boolean(document.querySelector(selector)?.closest('article'))"
    return [
        Violation(
            violation["id"], node["html"][:160], node["failureSummary"][:200],
            page.evaluate(within, node["target"][0]),
        )
        for violation in response["violations"] if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]  # fmt: skip


def serious_violations(
    page: Any,
    within: str | None = None,
    *,
    rules: bool = True,
    contrast: bool = True,
    every_text: bool = False,
) -> list[Violation]:
    """The serious and critical violations that axe finds on the page, or in a selector's elements.

    `rules` checks all rules except contrast, which alone differs between themes; `every_text`
    checks the contrast of every text instead of one text of each look.
    """  # fmt: skip
    page.evaluate(Axe().axe_script)
    violations = []
    if rules:
        violations += run(page, within, {"rules": {CONTRAST: {"enabled": False}}})
    if contrast:
        only = {"runOnly": [CONTRAST]}
        if not every_text:
            assert page.evaluate(MARK_LOOKS) > 0, "the page has no text"
        marked = [[f"{within or ''} [data-look]".strip()]]
        violations += run(page, within if every_text else {"include": marked}, only)
    return violations
