"""Checks the links in README and docs, without fetching anything."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.markdown import PAGES, anchors, links

HOSTS = {"github.com", "www.elastic.co", "keepachangelog.com", "es-client.readthedocs.io"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_has_a_target(page: Path) -> None:
    """The file and the heading of each link within the repository exist."""
    for link in links(page):
        if urlsplit(link).scheme:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_external_link_is_https_to_a_known_host(page: Path) -> None:
    """Each external link uses https and a host in the list."""
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert (parts.scheme, parts.hostname in HOSTS) == ("https", True), link
            assert re.fullmatch(r"/[\w./-]*", parts.path), link


def test_every_page_can_be_reached_from_readme() -> None:
    """Each page is linked from README, directly or through another page."""
    seen, pending = set[Path](), [PAGES[0]]
    while pending:
        page = pending.pop()
        seen.add(page)
        targets = ((page.parent / link.partition("#")[0]).resolve() for link in links(page) if link.endswith(".md"))
        pending += [target for target in targets if target not in seen]
    assert set(PAGES) <= seen
