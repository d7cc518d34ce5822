"""The labels and styles of boxes and frames in a DOT picture."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Group, Item, amount, gradient_text, size, value_text
from .sources import place

# Hues of Okabe and Ito's palette, distinct for colour-blind readers too; outlines, signs and words differ besides.
STYLES = {
    "step": 'fillcolor="#e3effa", color="#0072b2", style="filled,rounded"',
    "parameter": 'fillcolor="#fff1cf", color="#a86f00", peripheries=2',
    "leaf": 'fillcolor="#fff1cf", color="#a86f00"',
    "constant": 'fillcolor="#eef0f2", color="#747b86", style="filled,dashed"',
    "output": 'fillcolor="#d7f1e6", color="#007a57", shape=ellipse',
    "error": 'fillcolor="#ffe3d3", color="#c24e00", shape=octagon, penwidth=2',
    "group": 'fillcolor="#e3effa", color="#0072b2", shape=box3d',
}
_CELLS = {
    "parameter": 'BORDER="2" BGCOLOR="#fff1cf" COLOR="#a86f00"',
    "leaf": 'BORDER="1" BGCOLOR="#fff1cf" COLOR="#a86f00" STYLE="rounded"',
    "constant": 'BORDER="1" BGCOLOR="#eef0f2" COLOR="#747b86" STYLE="dashed"',
}
CHANGES = {"added": ("#007a57", "+ "), "gone": ("#c24e00", "− "), "reshaped": ("#a86f00", "~ ")}
BAD, WARN = "#c24e00", "#9b4f86"


@dataclass(frozen=True)
class Show:
    """The contents of boxes besides name and shape; the rest is in the tooltips of an SVG.

    ``titles``: PyTorch's names of the steps. ``overlay``: colour boxes by "gradient", "time" or "bytes".
    """

    attributes: bool = False
    saved: bool = False
    values: bool = False
    gradients: bool = True
    sources: bool = False
    clusters: bool = True
    titles: bool = False
    overlay: str = ""


def label(item: Item, show: Show, prefix: str = "", module: str = "", times: int = 1) -> str:
    """Return the HTML-like label of a box: name, shape, further rows, a line each.

    ``prefix`` is what the frame around it says already, ``times`` how often that frame is repeated.
    """
    name = item.op if show.titles and item.op else item.name.removeprefix(prefix) or item.kind
    sign = CHANGES[item.change][1] if item.change else ""
    repeats = f" × {item.repeat // times}" if item.repeat > times else ""
    rows = [f"<B>{html(sign + name)}{repeats}</B>"]
    rows += [_small(row) for row in ([module] if module else []) + _facts(item)]
    if show.attributes:
        rows += [_small(f"{key}: {value}") for key, value in item.attributes if key != "variable"]
    if item.value is not None and (show.values or (item.value.count == 1 and item.kind == "output")):
        rows.append(_small(value_text(item.value)))
    if show.gradients and item.gradient is not None and item.kind != "output":
        rows.append(_small(f"‖∂‖ {gradient_text(item)}"))
    if show.saved:
        rows += [_small(f"saved {one.name}: {size(one.shape)} {amount(one.bytes)}") for one in item.saved]
        if item.freed and item.frees:
            rows.append(_small("saved values freed"))
    if show.sources and item.source is not None:
        rows.append(_small(place(item.source)))
    return "<BR/>".join(rows + _marks(item))


def cell(item: Item, show: Show, prefix: str, colour: str = "", times: int = 1) -> str:
    """Return a row of the table of leaves beside a step."""
    style = _CELLS[item.kind]
    if colour:
        style = style.replace(style.partition('BGCOLOR="')[2].partition('"')[0], colour)
    marked = any(mark.level in {"bad", "warn"} for mark in item.marks)
    frame = CHANGES[item.change][0] if item.change else WARN if marked else ""
    if frame:
        style = style.replace(style.partition(' COLOR="')[2].partition('"')[0], frame).replace('R="1"', 'R="2"')
    text = label(item, show, prefix, "", times)
    return f'<TR><TD PORT="{item.id}" CELLPADDING="3" {style}>{text}</TD></TR>'


def level_colour(item: Item) -> str:
    """Return the style that shows an item's worst mark, or its change."""
    levels = {mark.level for mark in item.marks}
    style = ""
    if "bad" in levels:
        style = f', color="{BAD}", penwidth=2, fillcolor="#ffe3d3"'
    elif "warn" in levels:
        style = f', color="{WARN}", penwidth=2'
    return style + (f', color="{CHANGES[item.change][0]}", penwidth=2' if item.change else "")


def frame_label(group: Group, chained: bool) -> str:
    """Return the label and the style of the frame around a group."""
    times = f" × {group.repeat}" if group.repeat > 1 else ""
    call = f" (call {group.call})" if group.call > 1 and group.fold != "calls" else ""
    name = "repeated" if group.kind == "repeat" and not group.name else group.name
    title = group.title if group.title != name else ""
    words = " ".join(text for text in (f"<B>{html(name)}</B>" if name else "", html(title + call)) if text)
    after = f" <B>{times}</B>" if times else ""
    after += ", each into the next" if chained else ""
    label = f"label=<{words}{after}>"
    if group.kind == "gradient":
        label = f"label=<{html(group.title)}>"
        return f'{label}; style="filled,rounded"; fillcolor="#faf0f6"; color="#9b4f86"; fontcolor="#9b4f86"'
    if group.repeat > 1:
        return f'{label}; style="filled,rounded,dashed"; fillcolor="#f4f8fc"; color="#0072b2"; penwidth=1.4'
    return f'{label}; style="filled,rounded"; fillcolor="#00000006"; color="#c3c7cf"; penwidth=1'


def tip(item: Item) -> str:
    """Return the tooltip of a box in an SVG."""
    lines = [f"{item.op or item.kind} {item.name}".strip()]
    lines += _facts(item)
    lines += [f"{key}: {value}" for key, value in item.attributes]
    if item.value is not None:
        lines.append(f"value: {value_text(item.value)}")
    if item.gradient is not None:
        lines.append(f"gradient: norm {gradient_text(item)}, {value_text(item.gradient)}")
    lines += [f"saved {one.name}: {size(one.shape)} {one.dtype}, {amount(one.bytes)}" for one in item.saved]
    if item.saved:
        lines.append("freed by backward() unless retain_graph=True" if item.frees else "freed with the graph")
    elif item.freed and item.frees:
        lines.append("saved values were freed by backward()")
    if item.source is not None:
        lines.append(f"{place(item.source)}: {item.source.text}")
    return "\n".join(lines + [mark.text for mark in item.marks])


def _facts(item: Item) -> list[str]:
    dtype = f" {item.dtype}" if item.dtype not in {"", "float32"} else ""
    rows = [f"= {value}" for key, value in item.attributes if key == "variable"]
    if item.change == "reshaped" and item.before is not None:
        rows.append(f"{size(item.before)} → {size(item.shape or ())}{dtype}")
    elif item.shape is not None:
        rows.append(size(item.shape) + dtype)
    elif item.results:
        rows.append(f"{len(item.results)} results")
    if item.kind == "group":
        rows.append(f"{item.count} steps")
    if item.write is not None and item.kind == "step":
        rows.append(f"in place, v{item.write[0]} → v{item.write[1]}")
    if item.uses > 1:
        rows.append(f"shared × {item.uses}")
    return rows


def _marks(item: Item) -> list[str]:
    rows = []
    for mark in item.marks:
        if mark.level == "note" and mark.kind != "hook":
            continue
        colour = BAD if mark.level == "bad" else WARN
        text = (
            mark.text
            if mark.level != "warn" or mark.kind not in {"vanishing", "exploding"}
            else f"{mark.kind}: {mark.text}"
        )
        text = text if mark.level == "note" else f"! {text}"
        rows += [f'<FONT POINT-SIZE="9" COLOR="{colour}">{html(line)}</FONT>' for line in wrapped(text, 44)[:6]]
    return rows


def _small(text: str) -> str:
    return f'<FONT POINT-SIZE="9" COLOR="#4a505b">{html(text)}</FONT>'


def wrapped(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of about ``width`` characters; a longer word is cut into pieces."""
    lines = [""]
    for word in text.split():
        for piece in [word[n : n + width] for n in range(0, len(word), width)]:
            if lines[-1] and len(lines[-1]) + len(piece) >= width:
                lines.append("")
            lines[-1] += (" " if lines[-1] else "") + piece
    return lines


def html(text: str) -> str:
    """Return ``text`` as it stands in an HTML-like label; characters that XML does not allow become "�"."""
    clean = "".join(c if c in "\r\n\t" or _allowed(ord(c)) else "�" for c in text)
    clean = clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return clean.replace("\t", " ").replace("\r\n", "<BR/>").replace("\r", "<BR/>").replace("\n", "<BR/>")


def _allowed(code: int) -> bool:
    return 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF


def quoted(text: str) -> str:
    """Return ``text`` as a DOT string that shows exactly these characters.

    Graphviz reads backslashes as commands and ``&...;`` as characters of HTML, so both are escaped.
    """
    text = "".join(c if c in "\r\n\t" or _allowed(ord(c)) else "�" for c in text)
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\r", " ").replace("\n", "\\n") + '"'
