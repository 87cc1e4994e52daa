// Elements of the page. All data of the program becomes text, never markup.

export const byId = id => document.getElementById(id);

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
export const html = (tag, attributes = {}, ...children) => build(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) =>
  build(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

/** Sets text, an attribute or a class only where it differs: most of a page stays the same from tick to tick. */
export function say(node, text) { if (node.textContent !== text) node.textContent = text; }
export function attribute(node, name, value) { if (node.getAttribute(name) !== value) node.setAttribute(name, value); }
export function show(node, shown) { if (node.hidden === shown) node.hidden = !shown; }

/** Splits the path of a name or a file, so that a line can break after each `::` or slash. */
export function breakable(path) {
  return path.split(/(?<=::|\/)/).flatMap((part, at) => (at === 0 ? [part] : [html('wbr'), part]));
}
