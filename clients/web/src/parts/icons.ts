// Draws a symbol of the page's set where it is wanted. A `use` would cost a tree of its own and, whenever
// it changes, the styles of the whole page at once.

const drawings = new Map<string, DocumentFragment>();

function drawing(name: string): DocumentFragment {
  let drawing = drawings.get(name);
  if (!drawing) {
    drawings.set(name, (drawing = document.createDocumentFragment()));
    const shapes = document.getElementById(name)?.children ?? [];
    drawing.append(...[...shapes].map((shape) => shape.cloneNode(true)));
  }
  return drawing;
}

/** What an `svg` shows from now on. */
export const drawn = (name: string) => (svg: SVGElement): void => svg.replaceChildren(drawing(name).cloneNode(true));
