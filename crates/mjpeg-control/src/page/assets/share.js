// Links by which somebody may watch without a login.

import { all, api, at } from './api.js';
import { $, h, openDialog, say } from './dom.js';
import { copyButton, localWarning, once, row, select } from './fields.js';
import { when } from './format.js';
import { qr } from './qr.js';

/// Opens the dialog that makes, lists and revokes the links of a camera.
export async function openShare(name) {
  const what = row('What', select([['stream', 'Live pictures'], ['snapshot', 'Single pictures']]));
  const valid = row('Valid for', select(TIMES, '86400'));
  const limit = { type: 'number', min: 0.1, step: 'any', placeholder: 'no limit' };
  const fps = row('Pictures per second at most', h('input', limit));
  const problem = h('p', { class: 'problem', role: 'alert' });
  const made = h('section', { class: 'form', 'aria-label': 'The new link', hidden: true });
  const list = h('section', { class: 'form' });
  const make = async (event) => {
    event.preventDefault();
    say(problem, '');
    fps.complain('');
    const wanted = { stream: name, action: what.input.value, valid_s: Number(valid.input.value) };
    if (fps.input.value) wanted.fps = Number(fps.input.value);
    try {
      const link = await once(dialog, () => api('POST', 'links', wanted));
      show(made, link);
      await refresh();
    } catch (error) {
      if (error.errors?.some(({ key }) => key === 'fps')) fps.complain(error.detail);
      else say(problem, error.text);
    }
  };
  const refresh = async () => {
    const { links } = await all('links', 'links');
    showList(list, links.filter(({ stream }) => stream === name), dialog, refresh);
  };
  const dialog = openDialog(
    `Share ${name}`,
    h(
      'div',
      { class: 'form' },
      h('p', {}, 'Whoever has the link can watch, without a login, until it expires or is revoked.'),
      localWarning(),
      h(
        'form',
        { onsubmit: make },
        h('div', { class: 'columns' }, what.element, valid.element, fps.element),
        problem,
        h('div', { class: 'actions' }, h('button', { class: 'primary' }, 'Make a link')),
      ),
      made,
      list,
    ),
  );
  what.input.focus();
  try {
    await refresh();
  } catch (error) {
    say(problem, error.status === 404 ? 'This relay makes no links.' : error.text);
  }
}

/// Shows a link that was just made: its signature is not shown again.
function show(made, { url, expires }) {
  const address = at(url);
  const field = row('Link', h('input', { readonly: true, class: 'mono' }));
  field.input.value = address;
  made.hidden = false;
  made.replaceChildren(
    field.element,
    h('div', { class: 'actions' }, copyButton(() => address, field.input, 'the link')),
    picture(address) ?? '',
    h('p', { class: 'hint' }, `Good until ${when(expires)}. It is not shown again.`),
  );
  field.input.focus();
  field.input.select();
}

/// The QR code of a text, for a phone's camera. Null if it is too long.
function picture(text) {
  const dark = qr(text);
  if (!dark) return null;
  const svg = (tag, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const size = dark.length + 8;
  const drawn = svg('svg', {
    viewBox: `0 0 ${size} ${size}`,
    class: 'qr',
    role: 'img',
    'aria-label': 'QR code of the link',
  });
  const runs = dark.flatMap((row, y) => row.map((is, x) => (is ? `M${x + 4} ${y + 4}h1v1h-1z` : '')));
  drawn.append(svg('rect', { width: size, height: size, fill: '#fff' }));
  drawn.append(svg('path', { d: runs.join(''), fill: '#000' }));
  return drawn;
}

function showList(list, links, dialog, refresh) {
  const problem = h('p', { class: 'problem', role: 'alert' });
  const revoke = async (id) => {
    try {
      await once(dialog, () => api('DELETE', `links/${encodeURIComponent(id)}`));
      await refresh();
      $('h3', list).focus();
    } catch (error) {
      say(problem, error.text);
    }
  };
  const line = ({ id, action, fps, expires }) =>
    h(
      'tr',
      {},
      h('td', { class: 'mono' }, id),
      h('td', {}, action === 'stream' ? 'live' : 'single', fps ? `, ${fps} fps` : ''),
      h('td', {}, when(expires)),
      h('td', {}, h('button', { type: 'button', class: 'danger', 'aria-label': `Revoke ${id}`, onclick: () => revoke(id) }, 'Revoke')),
    );
  const heads = ['Link', 'What', 'Until', ''].map((text) => h('th', { scope: 'col' }, text));
  list.replaceChildren(
    h('h3', { tabindex: -1 }, links.length ? 'Links that are good' : 'There are no links of this camera.'),
    links.length ? h('div', { class: 'scroll' }, h('table', {}, h('tr', {}, heads), links.map(line))) : '',
    problem,
  );
}

const TIMES = [
  ['3600', '1 hour'],
  ['86400', '1 day'],
  ['604800', '1 week'],
  ['2592000', '30 days'],
  ['31536000', '1 year'],
];
