// Elements. What cameras, viewers and the relay say may hold anything: it becomes text, never markup.

/// Makes an element. Of the attributes, functions listen (`onclick`), `true` is an empty value, and
/// `null`, `undefined` and `false` are left out. Children are nodes, texts, or `null`; lists are
/// taken apart.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

export const $ = (selector, within = document) => within.querySelector(selector);

/// Sets a text, if it differs: else a screen reader or a selection would start over.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/// Opens a dialog with this title and content. It is removed when it closes: by its button, by Esc,
/// or by `close()`.
export function openDialog(title, ...children) {
  const id = `dialog-${++dialogs}`;
  const close = () => dialog.close();
  const dialog = h(
    'dialog',
    { 'aria-labelledby': id },
    h(
      'header',
      {},
      h('h2', { id }, title),
      h('button', { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: close }, '✕'),
    ),
    ...children,
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

let dialogs = 0;

export const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
