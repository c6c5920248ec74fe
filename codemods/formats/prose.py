"""AGL122 in text that is written for people."""

from __future__ import annotations

from codemods.formats.page import MENTION, Page, Spot
from codemods.legacy.mentions import mentions, paths, words


def prose(page: Page) -> None:
    """Report each legacy name where it stands first; sentences are for a person to rewrite."""
    if not page.wants(MENTION):
        return
    text = page.text
    stays = page.asked.options.server == "legacy"
    present = {
        name: row
        for name, row in words().items()
        if name in text and not (stays and row.change == "same")
    }
    found = list(mentions(text, present)) if present else []
    if "agentlightning." in text:
        found += paths(text)
    for mention in sorted(found):
        if page.is_free(mention.start, mention.end) and page.is_first(mention.symbol):
            message = f"the text names `{mention.name}`"
            spot = Spot(
                mention.start,
                mention.end,
                MENTION,
                message,
                reason=mention.advice,
                symbol=mention.symbol,
            )
            page.add([spot])
