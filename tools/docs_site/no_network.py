"""A hook of mkdocs: no page of the site asks the network for anything but where a reader clicks."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

# By element: the attribute that makes a browser fetch.
_FETCHES = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "object": "data",
}
_NO_FETCH = frozenset({"canonical", "next", "prev", "alternate"})  # links that only say what belongs together


class _Fetched(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what this element makes a browser fetch."""
        found = dict(attrs)
        address = found.get(_FETCHES.get(tag, ""))
        if address and not (tag == "link" and found.get("rel") in _NO_FETCH):
            self.addresses.append(address)


def asked_of_the_network(page: str) -> Iterator[str]:
    """Yield the addresses on other machines that a browser fetches when it shows a page."""
    parser = _Fetched()
    parser.feed(page)
    yield from (one for one in parser.addresses if one.startswith(("http:", "https:", "//")))


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Return the page as it is. Raises `PluginError`, which ends the build, where it would ask the network."""
    from mkdocs.exceptions import PluginError  # here: a test of the rest needs no mkdocs

    asked = list(asked_of_the_network(output))
    if asked:
        raise PluginError(f"{page.file.src_uri} asks the network for {', '.join(asked)}: put it beside the page")
    return output
