"""What the tests read out of a page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

SELF_CLOSING = {"meta", "link", "img", "input", "br"}


PANEL = "#svgView"  # of a picture


@dataclass
class Parsed:
    """Links, what the page loads, ids, images with their alt text, and the words."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    panels: list[tuple[str, str]] = field(default_factory=list)
    words: str = ""
    unclosed: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Parsed()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in SELF_CLOSING:
            self.open.append(tag)
        if "id" in given:
            self.found.ids.append(given["id"])
        if tag == "a":
            self.found.links.append(given["href"])
        if tag == "link":
            self.found.loaded.append(given["href"])
        if tag in ("img", "script", "iframe", "object") and "src" in given:
            self.found.loaded.append(given["src"].partition(PANEL)[0])
        if tag == "img" and PANEL in given["src"]:
            self.found.panels.append((given["src"].partition(PANEL)[0], given["alt"]))
        elif tag == "img":
            self.found.images[given["src"]] = given["alt"]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] != "script":
            self.found.words += data


def parse(text: str) -> Parsed:
    """Read a page; fails on tags that do not match."""
    reader = _Reader()
    reader.feed(text)
    reader.found.unclosed = reader.open
    reader.found.words = " ".join(reader.found.words.split())
    return reader.found
