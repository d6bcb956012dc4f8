"""What the server's HTML purifier leaves of a text."""

import re
from html.entities import name2codepoint
from html.parser import HTMLParser

INLINE = "a abbr acronym b basefont bdo big cite code del dfn em font i ins kbd q s samp small span"
INLINE += " strike strong sub sup tt u var"
BLOCK = (
    "address blockquote center dir div dl dt dd h1 h2 h3 h4 h5 h6 li menu ol p pre table caption"
)
BLOCK += " caption tbody td tfoot th thead tr ul colgroup"
_VOID = "br hr img col"
VOID = frozenset(_VOID.split())
BLOCKS = frozenset(BLOCK.split()) | {"hr"}
FRAME = "iframe"  # the server adds it to what its purifier allows; it needs a source
ALLOWED = frozenset(INLINE.split()) | BLOCKS | VOID | {FRAME}
HIDDEN = frozenset({"script", "style", "title", "head"})
KEPT_EMPTY = frozenset({"td", "th", "colgroup", FRAME})
CLOSES_ITSELF = frozenset({"li", "td", "th", "tr", "dt", "dd", "p"})
NEEDS_PARENT = {
    "li": frozenset({"ul", "ol", "dir", "menu"}),
    "tr": frozenset({"table", "tbody", "thead", "tfoot"}),
    "td": frozenset({"tr"}),
    "th": frozenset({"tr"}),
    "dt": frozenset({"dl"}),
    "dd": frozenset({"dl"}),
}
FRAME_ATTRIBUTES = frozenset({"frameborder", "marginwidth", "marginheight", "scrolling"})
PLAIN_TEXT = re.compile(r"(?i)<(/?)xmp>")
_ATTRIBUTES = """
abbr align alt bgcolor border cellpadding cellspacing cite class clear color colspan dir
face for height href hspace lang name noshade rel rowspan scope size span src start
style summary title type valign value vspace width
"""
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
COLOURS = {
    "black": "#000000",
    "silver": "#C0C0C0",
    "gray": "#808080",
    "white": "#FFFFFF",
    "maroon": "#800000",
    "red": "#FF0000",
    "purple": "#800080",
    "fuchsia": "#FF00FF",
    "green": "#008000",
    "lime": "#00FF00",
    "olive": "#808000",
    "yellow": "#FFFF00",
    "navy": "#000080",
    "blue": "#0000FF",
    "teal": "#008080",
    "aqua": "#00FFFF",
    "orange": "#FFA500",
}
LINKS = frozenset({"href", "src", "cite"})
SCHEMES = frozenset({"http", "https", "mailto", "ftp", "nntp", "news", "tel"})
BARE_AMPERSAND = re.compile(r"&(?!(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);)")
SCHEME = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):")
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def purified(text: str, keep_empty: bool = False) -> str:
    """Give *text* as safe XHTML: `&`, `<` and `>` escaped, unknown and unsafe markup gone.

    Elements without content go, too, unless *keep_empty*.
    """
    text = CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = PLAIN_TEXT.sub(r"<\1pre>", text)
    if "<" not in text and "&" not in text and ">" not in text:
        return text
    reader = Purifier(keep_empty)
    reader.feed(BARE_AMPERSAND.sub("&amp;", text))
    return reader.finish()


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Purifier(HTMLParser):
    """Reads markup and collects what is allowed of it."""

    def __init__(self, keep_empty: bool) -> None:
        super().__init__(convert_charrefs=False)
        self._keep_empty = keep_empty
        self._open: list[tuple[str, str]] = []
        self._parts: list[list[str]] = [[]]
        self._hidden = 0

    def finish(self) -> str:
        """Close what is open and give the result."""
        self.close()
        while self._open:
            self._close_one()
        return "".join(self._parts[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self._hidden += 1
            return
        if self._hidden or tag not in ALLOWED:
            return
        self._make_room(tag)
        parents = NEEDS_PARENT.get(tag)
        if parents and not any(name in parents for name, _ in self._open):
            return
        attributes = kept_attributes(tag, attrs)
        if tag == FRAME and " src=" not in attributes:
            return
        if tag in VOID:
            if tag != "img" or "src=" in attributes:
                self._parts[-1].append(f"<{tag}{attributes} />")
            return
        self._open.append((tag, f"<{tag}{attributes}>"))
        self._parts.append([])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in HIDDEN or tag not in VOID:
            self.handle_endtag(tag)

    def _make_room(self, tag: str) -> None:
        """Close what a new element ends."""
        if tag in BLOCKS and self._open and self._open[-1][0] == "p":
            self._close_one()
        if tag in CLOSES_ITSELF and self._open and self._open[-1][0] == tag:
            self._close_one()

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self._hidden = max(self._hidden - 1, 0)
            return
        if self._hidden or tag not in {name for name, _ in self._open}:
            return
        while self._close_one() != tag:
            pass

    def _close_one(self) -> str:
        """Close the innermost element, dropping it if it is empty, and give its name."""
        tag, start = self._open.pop()
        content = "".join(self._parts.pop())
        named = " name=" in start or " id=" in start
        if content.strip() or tag in KEPT_EMPTY or named or self._keep_empty:
            self._parts[-1].append(f"{start}{content}</{tag}>")
        return tag

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._parts[-1].append(escaped(data))

    def unknown_decl(self, data: str) -> None:
        if data.startswith("CDATA["):
            self.handle_data(data.removeprefix("CDATA["))

    def handle_entityref(self, name: str) -> None:
        self.handle_data(chr(name2codepoint[name]) if name in name2codepoint else f"&{name};")

    def handle_charref(self, name: str) -> None:
        code = int(name[1:], 16) if name[0] in "xX" else int(name)
        if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000:
            self.handle_data(CONTROLS.sub("", chr(code)))


def kept_attributes(tag: str, attributes: list[tuple[str, str | None]]) -> str:
    """Write the attributes that are allowed; an image always gets an `alt`."""
    kept: dict[str, str] = {}
    for name, value in attributes:
        text = (value or "").replace("\n", " ")
        if name == "id" and text:
            kept["id"] = f"sugar_text_{text}"
        elif name == "style" and safe(name, text):
            kept[name] = declarations(text)
        elif name not in kept and attribute_allowed(tag, name) and safe(name, text):
            kept[name] = text
    if tag == "img" and "src" in kept:
        kept.setdefault("alt", kept["src"].rpartition("/")[2])
    pairs = (f' {n}="{escaped(v).replace(chr(34), "&quot;")}"' for n, v in kept.items())
    return "".join(pairs)


def attribute_allowed(tag: str, name: str) -> bool:
    """Tell whether an element may have an attribute."""
    return name in ATTRIBUTES or (tag == FRAME and name in FRAME_ATTRIBUTES)


def declarations(style: str) -> str:
    """Write CSS declarations without blanks, and colours as numbers."""
    pairs = (part.partition(":") for part in style.split(";") if ":" in part)
    written = ((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return "".join(f"{name}:{COLOURS.get(value.lower(), value)};" for name, value in written)


def safe(name: str, value: str) -> bool:
    """Tell whether an attribute's value may stay."""
    if name == "style":
        return not re.search(r"(?i)expression|javascript|@import|behavior", value)
    scheme = SCHEME.match(value)
    return name not in LINKS or scheme is None or scheme[1].lower() in SCHEMES
