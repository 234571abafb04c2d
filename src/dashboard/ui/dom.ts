/**
 * Elements described as data, and the difference applied to the page: what did not change is not touched, so focus,
 * scroll positions, selections and opened details survive a refresh. Text only ever becomes text nodes and attribute
 * values; there is no way from here to markup.
 */

type Handler = (event: Event) => void;
type Value = string | number | boolean | null | undefined | Handler;

/** An element to be. `key` tells it from its siblings when they come and go. */
export interface VNode {
  readonly tag: string;
  readonly props: Readonly<Record<string, Value>>;
  readonly children: readonly (VNode | string)[];
}

/** What may stand among an element's children; nothing is shown for null, undefined and false. */
export type Child = VNode | string | number | null | undefined | false | readonly Child[];

const SVG = "http://www.w3.org/2000/svg";
/** Attributes that could load or run something are not set from here at all. */
const FORBIDDEN = /^(?:on.*|style|src|srcdoc|srcset|action|formaction|xlink:href|innerhtml)$/i;
/** Links lead to pages of the dashboard: a name without slashes or scheme, and a query. */
const LINK = /^[a-z]*(?:\?[^#]*)?$|^\.\/(?:\?[^#]*)?$|^#[a-z]+$/;

const described = new WeakMap<Node, VNode>();

/** Describes an element. */
export function h(tag: string, props: VNode["props"] | null, ...children: readonly Child[]): VNode {
  return { tag, props: props ?? {}, children: flatten(children) };
}

/** Makes an element's children what is described. */
export function render(parent: Element, ...children: readonly Child[]): void {
  patchChildren(parent, flatten(children));
}

function flatten(children: readonly Child[]): (VNode | string)[] {
  const flat: (VNode | string)[] = [];
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (typeof child === "string" || typeof child === "number") flat.push(String(child));
    else if ("tag" in child) flat.push(child);
    else flat.push(...flatten(child));
  }
  return flat;
}

function patchChildren(parent: Element, wanted: readonly (VNode | string)[]): void {
  const keyed = new Map<Value, Element>();
  const rest: Node[] = [];
  for (const node of [...parent.childNodes]) {
    const key = described.get(node)?.props["key"];
    if (key !== undefined && node instanceof Element) keyed.set(key, node);
    else rest.push(node);
  }
  let place: Node | null = parent.firstChild;
  for (const child of wanted) {
    const node = reuse(child, keyed, rest) ?? create(child, parent);
    if (typeof child === "string") {
      if (node.nodeValue !== child) node.nodeValue = child;
    } else patchElement(node as Element, child);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of [...keyed.values(), ...rest]) node.parentNode?.removeChild(node);
}

/** A present node of the same kind, taken out of the stock. */
function reuse(child: VNode | string, keyed: Map<Value, Element>, rest: Node[]): Node | undefined {
  if (typeof child !== "string" && child.props["key"] !== undefined) {
    const node = keyed.get(child.props["key"]);
    if (node === undefined || described.get(node)?.tag !== child.tag) return undefined;
    keyed.delete(child.props["key"]);
    return node;
  }
  const index = rest.findIndex((node) =>
    typeof child === "string" ? node.nodeType === Node.TEXT_NODE : described.get(node)?.tag === child.tag,
  );
  return index < 0 ? undefined : rest.splice(index, 1)[0];
}

function create(child: VNode | string, parent: Element): Node {
  if (typeof child === "string") return document.createTextNode(child);
  const inSvg = child.tag === "svg" || parent.namespaceURI === SVG;
  return inSvg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
}

function patchElement(element: Element, wanted: VNode): void {
  const before = described.get(element)?.props ?? {};
  for (const name of Object.keys(before)) {
    if (!(name in wanted.props)) set(element, name, undefined);
  }
  for (const [name, value] of Object.entries(wanted.props)) {
    if (value !== before[name] || name === "value" || name === "checked") set(element, name, value);
  }
  described.set(element, wanted);
  patchChildren(element, wanted.children);
}

function hasTypedValue(element: Element): element is HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement {
  return (
    element instanceof HTMLInputElement ||
    element instanceof HTMLSelectElement ||
    element instanceof HTMLTextAreaElement
  );
}

function set(element: Element, name: string, value: Value): void {
  if (name === "key") return;
  if (typeof value === "function" || (name.startsWith("on") && value === undefined)) {
    (element as unknown as Record<string, unknown>)[name] = value ?? null;
    return;
  }
  if (FORBIDDEN.test(name)) throw new Error(`The attribute ${name} is not set from here.`);
  if (name === "href" && !LINK.test(String(value))) throw new Error("Links lead to pages of the dashboard only.");
  if (name === "checked" && element instanceof HTMLInputElement) element.checked = value === true;
  else if (name === "value" && hasTypedValue(element)) {
    // What a person is typing is theirs.
    if (document.activeElement !== element && element.value !== value) element.value = String(value ?? "");
  } else if (value === undefined || value === null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}
