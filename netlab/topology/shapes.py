"""Shapes of a YAML file: each reads its part of the file, and describes it to an editor's schema.

One table of shapes (`netlab.topology.keys`) serves the loader and the JSON schema, so they cannot disagree. A shape
never raises: what is wrong is noted with its line, and the rest of the file is still read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from netlab.errors import NetlabError
from netlab.topology.words import nearest

TOP = "the topology"
"""What the whole file is called in messages."""
PLAIN = {"scalar": "tag:yaml.org,2002:str", "sequence": "tag:yaml.org,2002:seq", "mapping": "tag:yaml.org,2002:map"}
Schema = dict[str, Any]
Node = Any
"""A node of PyYAML's tree (PyYAML is imported late, and its nodes have no common useful type)."""


@dataclass
class Reader:
    """The file that is being read, and the mistakes found in it so far."""

    file: str
    errors: list[NetlabError] = field(default_factory=list)

    def place(self, node: Node) -> str:
        """``file:line`` of a node."""
        return f"{self.file}:{node.start_mark.line + 1}"

    def note(self, node: Node, what: str, right: str = "") -> None:
        """Keep one mistake."""
        self.errors.append(NetlabError(what, where=self.place(node), right=right))


@dataclass(frozen=True)
class Got:
    """A value that was read, and where it stood."""

    value: Any
    where: str


class Shape(Protocol):
    """Something that a value in the file may be."""

    def read(self, reader: Reader, node: Node, what: str) -> Got | None:
        """The value of ``node``, or None after noting what is wrong; ``what`` names the value to the user."""

    def schema(self) -> Schema:
        """The same as a JSON schema."""


@dataclass(frozen=True)
class Text:
    """A scalar. ``parse`` makes the value of its text, and raises a NetlabError for a text that is none."""

    parse: Callable[[str, str], Any]
    pattern: Schema

    def read(self, reader: Reader, node: Node, what: str) -> Got | None:
        """The parsed text."""
        if not is_a("scalar", node):
            reader.note(node, f"{what} is {kind_of(node)}", "one plain value belongs here")
            return None
        try:
            return Got(self.parse(node.value, what), reader.place(node))
        except NetlabError as error:
            reader.note(node, error.what, error.right)
            return None

    def schema(self) -> Schema:
        """The pattern, as it is."""
        return dict(self.pattern)


@dataclass(frozen=True)
class ListOf:
    """A list of one shape; ``length`` when it must have that many entries, ``label`` to name an entry to the user."""

    item: Shape
    length: int = 0
    label: Callable[[int, Node], str] | None = None

    def read(self, reader: Reader, node: Node, what: str) -> Got | None:
        """A list of Got: the entries that are right (None when that leaves too few)."""
        if not is_a("sequence", node):
            reader.note(node, f"{what} is {kind_of(node)}", "a list belongs here, as [a, b]")
            return None
        if self.length and len(node.value) != self.length:
            reader.note(node, f"{what} has {len(node.value)} entries", f"it takes exactly {self.length}")
            return None
        named = [(child, self.label(i, child) if self.label else what) for i, child in enumerate(node.value)]
        items = [got for child, name in named if (got := self.item.read(reader, child, name))]
        return None if self.length and len(items) != self.length else Got(items, reader.place(node))

    def schema(self) -> Schema:
        """An array."""
        size = {"minItems": self.length, "maxItems": self.length} if self.length else {}
        return {"type": "array", "items": self.item.schema(), **size}


@dataclass(frozen=True)
class Key:
    """One key of a mapping: the shape of its value, and what it means."""

    shape: Shape
    says: str
    required: bool = False


@dataclass(frozen=True)
class Fields:
    """A mapping with known keys. Nothing at all (``h1:``) stands for a mapping in which every key is left out."""

    keys: Mapping[str, Key]

    def read(self, reader: Reader, node: Node, what: str) -> Got | None:
        """A dict of key -> Got for the keys that are there and right."""
        if is_nothing(node):
            pairs: list[tuple[Node, Node]] = []
        elif is_a("mapping", node):
            pairs = node.value
        else:
            reader.note(node, f"{what} is {kind_of(node)}", f"keys belong here: {', '.join(self.keys)}")
            return None
        named = unique(reader, pairs, "key")
        for name, (key_node, _) in named.items():
            if name not in self.keys:
                reader.note(key_node, f"{what} has the unknown key '{name}'", nearest(name, self.keys, "keys are"))
        for name, key in self.keys.items():
            if key.required and name not in named:
                reader.note(node, f"{what} lacks '{name}'", key.says)
        found = {
            name: self.keys[name].shape.read(reader, value, f"{name} of {what}")
            for name, (_, value) in named.items()
            if name in self.keys
        }
        return Got({name: got for name, got in found.items() if got}, reader.place(node))

    def schema(self) -> Schema:
        """An object that takes no other keys."""
        properties = {name: {**key.shape.schema(), "description": key.says} for name, key in self.keys.items()}
        required = [name for name, key in self.keys.items() if key.required]
        kinds: Schema = {"type": "object" if required else ["object", "null"]}
        return {**kinds, "properties": properties, "additionalProperties": False, "required": required}


@dataclass(frozen=True)
class Named:
    """A mapping from names, which its author chooses, to one shape; ``thing`` is what is named."""

    thing: str
    name: Text
    item: Shape

    def read(self, reader: Reader, node: Node, what: str) -> Got | None:
        """A dict of name -> Got, in the file's order; the Got's place is the name's."""
        if not is_a("mapping", node):
            reader.note(node, f"{what} is {kind_of(node)}", f"a name and a colon for each {self.thing} belong here")
            return None
        found: dict[str, Got] = {}
        for key_node, value in unique(reader, node.value, f"{self.thing} name").values():
            name = self.name.read(reader, key_node, f"{self.thing} name")
            owner = "" if what.endswith(TOP) else f" of {what.partition(' of ')[2]}"
            item = self.item.read(reader, value, f"{self.thing} {key_node.value}{owner}")
            if name and item:
                found[name.value] = Got(item.value, reader.place(key_node))
        return Got(found, reader.place(node))

    def schema(self) -> Schema:
        """An object whose property names follow a pattern."""
        return {"type": "object", "additionalProperties": self.item.schema(), "propertyNames": self.name.schema()}


def unique(reader: Reader, pairs: list[tuple[Node, Node]], thing: str) -> dict[str, tuple[Node, Node]]:
    """The pairs by the text of their key; a key that comes twice is noted, since YAML would drop the first."""
    named: dict[str, tuple[Node, Node]] = {}
    for key, value in pairs:
        if key.id != "scalar":
            reader.note(key, f"a {thing} is {kind_of(key)}", "a plain word belongs here")
        elif key.value in named:
            first = reader.place(named[key.value][0]).rsplit(":", 1)[1]
            reader.note(key, f"the {thing} '{key.value}' is there twice", f"the first is in line {first}")
        else:
            named[key.value] = (key, value)
    return named


def is_a(kind: str, node: Node) -> bool:
    """True for a scalar, sequence or mapping as its author sees one: of that kind, and with no tag of its own."""
    return bool(node.id == kind and node.tag == PLAIN[kind])


def is_nothing(node: Node) -> bool:
    """True for a value that was left out (``h1:``)."""
    return is_a("scalar", node) and node.value == "" and node.style is None


def kind_of(node: Node) -> str:
    """What stands there, in a person's words."""
    if is_nothing(node):
        return "empty"
    if node.tag not in PLAIN.values():
        return f"marked with the tag {node.tag}"
    return {"mapping": "a mapping", "sequence": "a list"}.get(node.id, f"the text '{node.value[:40]}'")
