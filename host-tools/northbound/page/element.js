const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes, and texts or elements in it. */
export function element(name, attributes = {}, ...children) {
	return filled(document.createElement(name), attributes, children);
}

/** The same of SVG. */
export function shape(name, attributes = {}, ...children) {
	return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
	for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
	made.append(...children);
	return made;
}
