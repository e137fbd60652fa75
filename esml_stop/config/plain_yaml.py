"""YAML without what makes it dangerous or surprising; imports PyYAML, so it is imported only for a YAML file."""

from typing import Any

import yaml


class TagRefused(Exception):
    """A node has a tag of its own; `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class PlainLoader(yaml.SafeLoader):
    """Reads each value as the text it is: a password 0123 or a context called no keeps its spelling."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way to say it
        first: [rule for rule in rules if rule[0] == "tag:yaml.org,2002:null"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def data(self, most: int) -> Any:
        """Return the one document as data; raises OverflowError when aliases unfold it to more values than `most`."""
        node = self.get_single_node()
        if node is None:
            return None
        if self.weight(node, {}) > most:
            raise OverflowError
        return self.construct_document(node)

    def weight(self, node: yaml.Node, known: dict[int, float]) -> float:
        """Return the number of values below a node, each counted as often as aliases repeat it."""
        if id(node) not in known:
            known[id(node)] = float("inf")  # until it is counted: what holds itself has no end
            children = node.value if isinstance(node, yaml.CollectionNode) else []
            parts = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
            known[id(node)] = 1 + sum(self.weight(part, known) for part in parts)
        return known[id(node)]

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node; none may say by a tag what it is."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise TagRefused(event.start_mark.line + 1)
        return super().compose_node(parent, index)
