// What to enter in the programs that show a camera.

import { at } from './api.js';
import { h, openDialog } from './dom.js';
import { copyButton, localWarning } from './fields.js';

/// Opens the dialog with settings of other programs for a camera.
export async function openSnippets(name) {
  const content = h('div', { class: 'form' }, h('p', { class: 'hint', role: 'status' }, 'Loading…'));
  openDialog(`Use ${name} elsewhere`, content);
  try {
    const response = await fetch(at('assets/snippets.json'), { cache: 'no-store' });
    if (!response.ok) throw new Error(`The relay answered ${response.status}.`);
    const snippets = await response.json();
    content.replaceChildren(
      h('p', { class: 'hint' }, LOGIN),
      localWarning() || '',
      ...snippets.map((snippet) => shown(snippet, name)),
    );
  } catch (error) {
    content.replaceChildren(h('p', { class: 'problem', role: 'alert' }, error.message));
  }
}

function filled({ lines }, name) {
  const path = encodeURIComponent(name);
  const values = { name, stream_url: at(`${path}/stream`), snapshot_url: at(`${path}/snapshot`) };
  return lines.join('\n').replace(/\{(name|stream_url|snapshot_url)\}/g, (_, key) => values[key]);
}

function shown(snippet, name) {
  const text = filled(snippet, name);
  const code = h('pre', { tabindex: 0, 'aria-label': `Settings for ${snippet.title}` }, text);
  return h(
    'section',
    { class: 'snippet' },
    h('h3', {}, snippet.title),
    snippet.where ? h('p', { class: 'hint' }, snippet.where) : null,
    snippet.kind === 'fields' ? lines(text, snippet.title) : [code, copyRow(text, code, `for ${snippet.title}`)],
  );
}

const copyRow = (text, near, what) =>
  h('div', { class: 'actions' }, copyButton(() => text, near, what));

function lines(text, title) {
  const line = (text) => {
    const [label, ...rest] = text.split(': ');
    const value = h('code', {}, rest.join(': '));
    const address = value.textContent;
    const copy = address.includes('://') && copyRow(address, value, `${label} for ${title}`);
    return [h('dt', {}, label), h('dd', {}, value, copy)];
  };
  return h('dl', {}, text.split('\n').map(line));
}

const LOGIN =
  'Where a login is needed, enter it in the program, or use a link from “Share” instead of the address.';
