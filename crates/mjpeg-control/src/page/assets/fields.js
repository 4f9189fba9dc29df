// Fields of forms, and those for the keys of a stream as the relay's schema describes them.

import { h, say } from './dom.js';

/// A row of a form: a label, a field, a hint, and what is wrong with it.
export function row(label, input, hint) {
  const id = (input.id ||= `field-${++rows}`);
  const isBox = input.type === 'checkbox';
  const hinted = hint ? h('p', { id: `${id}-hint`, class: 'hint' }, hint) : null;
  const wrong = h('p', { id: `${id}-error`, class: 'field-error', 'aria-live': 'polite' });
  const isGroup = input.tagName === 'FIELDSET';
  const labelled = isGroup ? null : h('label', { for: id }, label);
  if (isGroup) input.prepend(h('legend', {}, label));
  input.setAttribute('aria-describedby', hinted ? `${id}-hint ${id}-error` : `${id}-error`);
  const element = h(
    'div',
    { class: 'row' },
    isBox ? h('div', { class: 'choice' }, input, labelled) : [labelled, input],
    hinted,
    wrong,
  );
  const complain = (text) => {
    say(wrong, text);
    if (text) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  };
  return { element, input, complain };
}

export function select(choices, chosen) {
  const options = choices.map(([value, text]) => h('option', { value }, text));
  const element = h('select', {}, options);
  element.value = chosen ?? choices[0][0];
  return element;
}

/// Runs this while all buttons of a dialog are off.
export async function once(within, run) {
  const buttons = [...within.querySelectorAll('button:enabled:not(.icon)')];
  const focused = document.activeElement;
  for (const button of buttons) button.disabled = true;
  try {
    return await run();
  } finally {
    for (const button of buttons) button.disabled = false;
    // A button that is off loses it.
    if (document.activeElement === document.body && within.contains(focused)) focused.focus();
  }
}

/// A button that copies a text. Where the browser does not let it, `near` is selected instead.
export function copyButton(text, near, what) {
  const told = h('span', { class: 'hint', role: 'status' });
  const button = h('button', { type: 'button', 'aria-label': `Copy ${what}` }, 'Copy');
  button.addEventListener('click', async () => {
    const isCopied = await copied(text(), button);
    if (!isCopied) choose(near);
    say(told, isCopied ? 'Copied' : 'Press Ctrl+C');
    setTimeout(() => say(told, ''), 4000);
  });
  return [button, told];
}

/// Over plain HTTP, there is no clipboard but for what is selected.
async function copied(text, beside) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // It may be forbidden all the same.
    }
  }
  const field = h('textarea', { class: 'sr', 'aria-hidden': 'true', tabindex: -1, readonly: true });
  field.value = text;
  // Outside of an open dialog, nothing can be selected.
  beside.after(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  beside.focus();
  return isCopied;
}

function choose(element) {
  if (element.select) return element.select();
  getSelection().selectAllChildren(element);
}

/// What addresses of this page are not good for, where it was opened as the machine's own.
export const localWarning = () =>
  /^(localhost|127\..*|\[::1\])$/.test(location.hostname) && h('p', { class: 'warning' }, LOCAL);

const LOCAL =
  'These addresses work on this machine only. Open the page by the machine’s name or address for others.';

/// Makes the field of a key. `value()` is what it holds: `undefined` where the default is to hold.
export function keyField(key, schema, value) {
  const make = kinds.find(([is]) => is(schema))[1];
  const { input, read } = make(schema, value);
  const field = row(labelOf(key), input, hintOf(key, schema));
  return { ...field, key, value: read };
}

/// The keys of a schema in their order: `[[key, schema]]`.
export const inOrder = ({ properties }) =>
  Object.entries(properties).sort(([, a], [, b]) => a['x-order'] - b['x-order']);

function labelOf(key) {
  const words = key.replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
}

function hintOf(key, schema) {
  const text = schema.description.replaceAll('`', '');
  const known = schema['x-kinds'];
  return known ? `The camera’s address: ${known.map((kind) => `${kind}:`).join(', ')}…` : text;
}

const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

const typesOf = (schema) => [schema, ...(schema.anyOf ?? [])].flatMap(({ type }) => type ?? []);

/// For which schemas a kind of field is, and how it is made.
const kinds = [
  [
    ({ type }) => type === 'boolean',
    (schema, value) => {
      const input = h('input', { type: 'checkbox' });
      input.checked = value ?? schema.default;
      return { input, read: () => (input.checked === schema.default ? undefined : input.checked) };
    },
  ],
  [
    (schema) => schema.enum,
    (schema, value) => {
      const choices = schema.enum.map((word) => [word, word]);
      const input = select([['', `as usual: ${schema.default}`], ...choices], value ?? '');
      return { input, read: () => input.value || undefined };
    },
  ],
  [
    ({ items }) => items?.enum,
    ({ items, default: usual }, value) => {
      const boxes = items.enum.map((word) => {
        const box = h('input', { type: 'checkbox', value: word });
        box.checked = (value ?? usual).includes(word);
        return box;
      });
      const labels = boxes.map((box) => h('label', { class: 'choice' }, box, box.value));
      const read = () => {
        const chosen = boxes.filter(({ checked }) => checked).map((box) => box.value);
        return isSame([...chosen].sort(), [...usual].sort()) ? undefined : chosen;
      };
      return { input: h('fieldset', {}, labels), read };
    },
  ],
  [
    ({ type }) => type === 'array',
    (_, value) => {
      const input = h('textarea', { rows: 2, spellcheck: 'false', placeholder: 'one per line' });
      input.value = (value ?? []).join('\n');
      const read = () => {
        const lines = input.value.split('\n').map((line) => line.trim());
        const all = lines.filter(Boolean);
        return all.length ? all : undefined;
      };
      return { input, read };
    },
  ],
  [
    () => true,
    (schema, value) => {
      const usual = schema.default ?? schema['x-example'] ?? '';
      const isTable = (it) => it !== null && typeof it === 'object';
      const shown = (it) => (isTable(it) ? JSON.stringify(it) : String(it));
      const input = h('input', { spellcheck: 'false', autocapitalize: 'none', placeholder: shown(usual) });
      input.value = shown(value ?? '');
      const isNumber = typesOf(schema).some((type) => type === 'number' || type === 'integer');
      const read = () => {
        const text = input.value.trim();
        if (isNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
        if (/^[[{]/.test(text)) {
          try {
            return JSON.parse(text);
          } catch {
            // The relay says what is wrong.
          }
        }
        return text || undefined;
      };
      return { input, read };
    },
  ],
];

let rows = 0;
