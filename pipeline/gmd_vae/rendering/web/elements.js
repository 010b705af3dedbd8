/**
 * Returns an element of the page.
 * @template {Element} T
 * @param {string} selector Selector of the element.
 * @param {{new (): T, name: string}} type Class of the element.
 * @param {ParentNode} [within] Part of the page that has the element.
 * @returns {T}
 */
function find(selector, type, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} ${selector}`);
  return found;
}

/**
 * Returns all elements of a class that match a selector.
 * @template {Element} T
 * @param {string} selector Selector of the elements.
 * @param {{new (): T}} type Class of the elements.
 * @param {ParentNode} [within] Part of the page that has the elements.
 * @returns {T[]}
 */
function findAll(selector, type, within = document) {
  /** @type {T[]} */ const found = [];
  for (const element of within.querySelectorAll(selector)) if (element instanceof type) found.push(element);
  return found;
}

/**
 * Returns the message of something that was thrown.
 * @param {unknown} error What was thrown.
 */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Returns the element of the page that an event came from, or the nearest one around it that matches a selector.
 * @param {Event} event Event.
 * @param {string} [selector] Selector.
 * @returns {Element | null}
 */
function targetOf(event, selector = "*") {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}
