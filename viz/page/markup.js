// HTML and SVG as text. Whatever is put into a template is escaped, unless it is markup already.

const ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"};

// Text that may go into the document as it is.
class Markup {
  constructor(text) {
    this.text = text;
  }
}

function escaped(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(escaped).join("");
  if (value == null) return "";
  return String(value).replace(/[&<>"']/g, sign => ENTITIES[sign]);
}

// The tag of a template: markup`<p>${text}</p>`. Lists are joined, null is left out.
export function markup(strings, ...values) {
  return new Markup(strings.reduce((text, string, n) => text + escaped(values[n - 1]) + string));
}

// One element by its name; attributes that are null are left out.
export function element(name, attributes, content = null) {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value != null) text += ` ${key}="${escaped(value)}"`;
  }
  return new Markup(`${text}>${escaped(content)}</${name}>`);
}
