"""Modules, fields and links, read from the tables in `modules/`.

A line is a field (`name type [nodb] [required] [required-later] [key=value ..]`), a link
(`-> name relationship Module kind [columns] [key=value ..]`), or `include _file`.
A later field of the same name replaces an earlier one. `len="100"` is text and `len=100` a
number, as the server sends them.
"""

import re
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any, Literal

import msgspec

WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
Kind = Literal["children", "parent", "join", "none"]
NUMERIC_TYPES = frozenset({"int", "float", "decimal", "currency", "double"})
DATETIME_TYPES = frozenset({"datetime", "datetimecombo"})


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a module; `length` is what the metadata says, `size` what the column holds."""

    name: str
    type: str
    db_type: str = ""
    source: Literal["db", "non-db", "custom_fields"] = "db"
    required: bool = False
    length: str | int | None = None
    precision: int | None = None
    options: str | None = None
    default: str | int | None = None
    fallback: str | None = None
    group: str = ""
    id_name: str = ""
    related_module: str = ""
    sensitive: bool = False

    @property
    def stored(self) -> bool:
        """Whether the field is a column of the module's own table."""
        return self.source == "db"

    @property
    def custom(self) -> bool:
        return self.source == "custom_fields"

    @property
    def textual(self) -> bool:
        """Whether the server cleans values of this field as text."""
        kinds = self.type + self.db_type
        return "char" in kinds or "text" in kinds or self.type in {"enum", "phone", "name", "url"}

    @property
    def size(self) -> int | None:
        """How many characters the column holds; None if it has no limit of interest."""
        if self.type in {"text", "emailbody", "multienum"} or self.type in DATETIME_TYPES:
            return None
        if self.type in {"id", "relate", "assigned_user_name"} or self.db_type == "id":
            return 36
        digits = str(self.length or "")
        return int(digits) if digits.isdigit() else 255


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a module to records of another."""

    name: str
    relationship: str
    target: str
    kind: Kind
    table: str = ""
    own_key: str = ""
    other_key: str = ""
    fixed: dict[str, str] = {}
    module: str = ""
    bean: str = ""


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """One module: its tables, fields and links."""

    name: str
    table: str
    bean: str
    flags: frozenset[str]
    fields: dict[str, Field]
    links: dict[str, Link]

    @property
    def person(self) -> bool:
        return "person" in self.flags

    @property
    def has_email(self) -> bool:
        return "email_addresses" in self.links

    @property
    def custom_table(self) -> str:
        return f"{self.table}_cstm"

    @property
    def has_custom_table(self) -> bool:
        return "custom" in self.flags


Schema = dict[str, Module]


def load_options() -> dict[str, dict[str, str]]:
    """Read the drop-down lists: name -> key -> label."""
    text = resources.files(__package__).joinpath("options.json").read_bytes()
    lists = msgspec.json.decode(text, type=dict[str, list[str] | dict[str, str]])
    return {n: v if isinstance(v, dict) else {key: key for key in v} for n, v in lists.items()}


def load_schema(tags: frozenset[str], custom_fields: dict[str, Any]) -> Schema:
    """Read every module as the product of these tags ships it, with the fixtures' custom fields.

    A line marked `only=tag` is for products of that tag, one marked `not=tag` for all others.
    """
    folder = resources.files(__package__).joinpath("modules")
    names = [f.name[:-4] for f in folder.iterdir() if f.name[0].isupper()]
    modules = (read_module(name, tags) for name in sorted(names))
    added = dict.fromkeys(custom_fields.get("modules", ()), custom_fields["fields"])
    return {m.name: with_custom_fields(m, added.get(m.name, {}), tags) for m in modules}


def read_module(name: str, tags: frozenset[str]) -> Module:
    """Parse one table of `modules/`."""
    lines = list(table_lines(name))
    _, name, table, bean, *flags = lines[0]
    fields: dict[str, Field] = {}
    links: dict[str, Link] = {}
    for words in lines[1:]:
        plain = [w for w in words if "=" not in w]
        settings = dict(w.split("=", 1) for w in words if "=" in w)
        only, others = settings.pop("only", None), settings.pop("not", None)
        if (only and only not in tags) or others in tags:
            continue
        if words[0] == "->":
            link = read_link(plain[1:], settings, name, table)
            links[link.name] = link
        else:
            fields[plain[0]] = read_field(plain, settings, "first" in tags)
    return Module(
        name=name, table=table, bean=bean, flags=frozenset(flags), fields=fields, links=links
    )


def table_lines(name: str) -> Iterator[list[str]]:
    """Yield the words of each line, includes expanded; quotes stay in the words."""
    text = resources.files(__package__).joinpath("modules", f"{name}.txt").read_text("utf-8")
    for line in text.splitlines():
        words = WORD.findall(line)
        if words and words[0] == "include":
            yield from table_lines(words[1])
        elif words and words[0] != "#":
            yield words


def read_field(words: Sequence[str], settings: dict[str, str], first: bool) -> Field:
    """Build a field from its words; the *first* product requires fewer fields."""
    return Field(
        name=words[0],
        type=words[1],
        source="non-db" if "nodb" in words else "db",
        required="required" in words or ("required-later" in words and not first),
        sensitive="sensitive" in words,
        db_type=settings.get("dbtype", ""),
        length=scalar(settings.get("len")),
        options=settings.get("options"),
        default=scalar(settings.get("default")),
        fallback=settings.get("fallback", "").strip('"') or None,
        group=settings.get("group", ""),
        id_name=settings.get("id_name", ""),
        related_module=settings.get("related", ""),
    )


def scalar(text: str | None) -> str | int | None:
    """Read `"100"` as text and `100` as a number."""
    if text is None:
        return None
    return text[1:-1] if text.startswith('"') else int(text)


def read_link(words: Sequence[str], settings: dict[str, str], module: str, table: str) -> Link:
    """Build a link; `{module}` and `{table}` stand for those of the module it belongs to."""
    name, relationship, target, kind, *columns = words
    settings = {key: value.replace("{module}", module) for key, value in settings.items()}
    shape = {"children": ("other_key",), "parent": ("own_key",), "none": ()}
    keys = dict(
        zip(shape.get(kind, ("table", "own_key", "other_key")), columns, strict=True),
    )
    return msgspec.convert(
        {
            "name": name,
            "relationship": relationship.replace("{table}", table),
            "target": target,
            "kind": kind,
            "module": settings.pop("module", ""),
            "bean": settings.pop("bean", ""),
            "fixed": settings,
        }
        | keys,
        Link,
    )


def with_custom_fields(module: Module, custom: dict[str, Any], tags: frozenset[str]) -> Module:
    """Add the fixtures' custom fields and the ones that the product itself ships."""
    if not module.has_custom_table:
        return module
    stock = {
        f"jjwg_maps_{part}_c": {"type": kind, "len": length}
        for part, kind, length in (
            ("lng", "float", "11,8"),
            ("lat", "float", "10,8"),
            ("geocode_status", "varchar", 255),
            ("address", "varchar", 255),
        )
        if "suitecrm" in tags
    }
    fields = {name: custom_field(name, made) for name, made in (custom | stock).items()}
    return msgspec.structs.replace(module, fields=module.fields | fields)


def custom_field(name: str, made: dict[str, Any]) -> Field:
    """Build a custom field as the field editor would."""
    kind = made["type"]
    length, _, precision = str(made.get("len", "")).partition(",")
    shown: str | int | None = length or "255"
    if kind == "enum":
        shown = int(length or 100)
    elif kind == "multienum":
        shown = None
    return Field(
        name=name,
        type=kind,
        source="custom_fields",
        length=shown,
        precision=int(precision) if precision else 8 if kind == "float" else None,
        options=made.get("options"),
        default=str(made.get("default", "")),
    )
