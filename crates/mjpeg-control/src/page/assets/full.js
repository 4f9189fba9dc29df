// One camera in full: a large picture, what it has done lately, who watches, what happened.

import { all, api, ApiError, at as address } from './api.js';
import { h, openDialog, say } from './dom.js';
import * as format from './format.js';
import { Past } from './past.js';
import { prefs } from './prefs.js';
import { Spark } from './spark.js';

const DETAILS_MS = 3000;
const EVENTS = 30;

/// Which relay of a cluster is connected to the camera.
function ownership({ node, is_here: isHere, conflict }) {
  const reader = node ? (isHere ? `${node}, this relay` : node) : 'no relay at present';
  const facts = [['Camera read by', reader]];
  if (conflict) facts.push(['Not shared with', `${conflict}, which has other settings for it`]);
  return facts;
}

export class FullView {
  #name;
  #path;
  #streams;
  #rows = new Map();
  #past = [];
  #refused = '';
  #timer;

  constructor(name, { streams, wall, next, regroup }) {
    this.#name = name;
    this.#path = `streams/${encodeURIComponent(name)}`;
    this.#streams = streams;
    const picture = h('img', { class: 'picture', alt: `Live picture of ${name}` });
    this.past = new Past(name);
    this.screen = h('div', { class: 'screen' }, picture, this.past.layer);
    this.state = h('p', { class: 'state' });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.sparks = {
      fps: new Spark('Rate', (value) => format.fps(value)),
      kbits: new Spark('Bandwidth', format.rate),
      age: new Spark('Age', format.age),
    };
    this.facts = h('dl', { class: 'facts' });
    this.viewers = h('tbody', {});
    this.watching = h(
      'section',
      { hidden: true },
      h('h3', {}, 'Viewers'),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Viewers' },
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ['Who', 'Since', 'Rate', 'Sent', 'Age'].map((text) => h('th', {}, text)),
              h('th', {}, h('span', { class: 'sr' }, 'Action')),
            ),
          ),
          this.viewers,
        ),
      ),
    );
    this.happened = h('ol', { class: 'events' });
    this.actions = h('p', { class: 'actions' });
    const step = (by) => () => next(name, by);
    const group = h('input', {
      id: 'group',
      list: 'groups',
      value: prefs.groups[name] ?? '',
      maxlength: '40',
      onchange: ({ target }) => regroup(name, target.value.trim()),
    });
    const groups = [...new Set(Object.values(prefs.groups))].sort();
    this.dialog = openDialog(
      name,
      this.screen,
      h(
        'div',
        { class: 'beside' },
        this.state,
        this.actions,
        this.problem,
        this.past.element,
        Object.values(this.sparks).map(({ element }) => element),
        this.facts,
        this.watching,
        h('section', {}, h('h3', {}, 'Events'), this.happened),
        h(
          'div',
          { class: 'row' },
          h('label', { for: 'group' }, 'Group'),
          group,
          h('datalist', { id: 'groups' }, groups.map((value) => h('option', { value }))),
          h('p', { class: 'hint' }, 'Remembered in this browser.'),
        ),
      ),
    );
    this.dialog.classList.add('full');
    const button = (label, text, onclick) =>
      h('button', { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick }, text);
    this.dialog.firstChild.lastChild.before(
      h(
        'span',
        { class: 'actions' },
        button('Previous camera', '‹', step(-1)),
        button('Next camera', '›', step(1)),
        h('button', { type: 'button', onclick: () => this.#enlarge() }, 'Full screen'),
      ),
    );
    this.dialog.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by && !event.target.closest('input, table, .scroll')) next(name, by);
    });
    this.box = wall.add({
      key: `full ${name}`,
      stream: name,
      element: picture,
      isVisible: true,
      canShrink: false,
      canPoll: true,
    });
    this.wall = wall;
    this.dialog.addEventListener('close', () => {
      clearTimeout(this.#timer);
      this.past.close();
      wall.remove(this.box);
    });
    this.list();
    this.#showEvents();
    this.#readDetails();
  }

  #enlarge() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.screen.requestFullscreen?.().catch(() => {});
  }

  /// The list has been read.
  list() {
    const stream = this.#streams.byName.get(this.#name);
    if (!stream) return this.dialog.close();
    this.dialog.dataset.state = stream.state;
    say(this.state, stream.text ?? stream.state);
    for (const [key, spark] of Object.entries(this.sparks)) {
      spark.show(stream.history.map((sample) => sample[key]));
    }
    const mayKeep = stream.mayControl && this.#streams.hasRecordings;
    this.past.list(stream.info.replay_s, mayKeep);
    this.#showActions(stream);
    this.#showFacts(stream);
  }

  frame() {}

  /// Why no pictures come; empty if they do.
  refused(text) {
    if (text || this.#refused) say(this.problem, text);
    this.#refused = text;
  }

  tick() {
    const stream = this.#streams.byName.get(this.#name);
    if (stream) stream.age = this.wall.age(this.box);
  }

  #showActions(stream) {
    const { mayControl, state } = stream;
    const mayAdd = this.#streams.mayAdd;
    const { hasRecordings } = this.#streams;
    const isOff = [state === 'paused', state === 'offline'];
    const key = JSON.stringify([mayControl, mayAdd, hasRecordings, isOff]);
    if (this.actions.dataset.key === key) return;
    this.actions.dataset.key = key;
    const button = (label, act) => h('button', { type: 'button', onclick: act }, label);
    const post = (verb) => () => this.#change('POST', `${this.#path}/${verb}`);
    const name = this.#name;
    const other = (module, show) => async () => (await import(module))[show](name);
    this.actions.replaceChildren(
      ...[
        mayControl && state !== 'paused' && button('Pause', post('pause')),
        mayControl && state === 'paused' && button('Resume', post('resume')),
        mayControl && state !== 'paused' && button('Retry', post('retry')),
        mayAdd && button('Edit', other('./forms.js', 'openEdit')),
        mayAdd && button('Share', other('./share.js', 'openShare')),
        hasRecordings && button('Time-lapses', () => this.#openRecordings()),
        button('Use elsewhere', other('./snippets.js', 'openSnippets')),
      ].filter(Boolean),
    );
  }

  async #openRecordings() {
    const { openRecordings } = await import('./recordings.js');
    const mayControl = (name) => this.#streams.byName.get(name)?.mayControl ?? false;
    openRecordings({ stream: this.#name, mayControl });
  }

  #showFacts(stream) {
    const { info, mayControl } = stream;
    const facts = [['Viewers', stream.viewers], ['Frames', stream.frames]];
    if (mayControl) {
      const [width, height] = info.size ?? [];
      if (width) facts.unshift(['Size', `${width} × ${height}`]);
      facts.push(['Source', info.source], ['Reconnects', info.reconnects]);
      if (info.owner) facts.push(...ownership(info.owner));
      if (info.source?.startsWith('push:')) {
        facts.push(['Pictures are sent to', address(`${encodeURIComponent(this.#name)}/push`)]);
      }
      const count = (total) => Object.values(total).reduce((sum, one) => sum + one, 0);
      if (count(info.discarded)) facts.push(['Discarded', count(info.discarded)]);
      const { last_error: last } = info;
      if (last) facts.push(['Last error', `${last.message} (${format.clock(last.at)})`]);
    }
    const key = JSON.stringify(facts);
    if (this.facts.dataset.key === key) return;
    this.facts.dataset.key = key;
    this.facts.replaceChildren(
      ...facts.map(([term, text]) => h('div', {}, h('dt', {}, term), h('dd', {}, String(text)))),
    );
  }

  async #change(method, path) {
    say(this.problem, '');
    try {
      await api(method, path);
      await this.#streams.refresh();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(this.problem, error.text);
    }
  }

  // Who watches.

  async #readDetails() {
    const stream = this.#streams.byName.get(this.#name);
    if (stream?.mayControl && !document.hidden) {
      try {
        const { viewers } = await all(`${this.#path}/viewers`, 'viewers');
        this.#showViewers(viewers);
        if (!this.#past.length) {
          const { events } = await all(`${this.#path}/events`, 'events');
          this.#past = events;
          this.#showEvents();
        }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    }
    if (this.dialog.open) this.#timer = setTimeout(() => this.#readDetails(), DETAILS_MS);
  }

  #showViewers(viewers) {
    this.watching.hidden = false;
    const here = new Set(viewers.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (here.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const viewer of viewers.slice(0, 200)) {
      const who = [viewer.user, viewer.address, viewer.key].filter(Boolean).join(' · ') || '?';
      let row = this.#rows.get(viewer.id);
      if (!row) {
        const kick = () => this.#change('DELETE', `viewers/${encodeURIComponent(viewer.id)}`);
        const label = `Kick ${who}`;
        row = h(
          'tr',
          {},
          Array.from({ length: 5 }, () => h('td', {})),
          h('td', {}, h('button', { type: 'button', 'aria-label': label, onclick: kick }, 'Kick')),
        );
        this.#rows.set(viewer.id, row);
        this.viewers.append(row);
      }
      const age = viewer.age_at_send_s;
      [
        who,
        format.since(viewer.since),
        format.fps(viewer.fps),
        format.bytes(viewer.sent_bytes),
        age === null ? '–' : format.age(age * 1000),
      ].forEach((text, at) => say(row.children[at], text));
    }
  }

  // What happened.

  /// The relay tells of something.
  told(event) {
    if (event.stream !== this.#name) return;
    this.list();
    this.#showEvents();
  }

  #showEvents() {
    const byId = new Map();
    for (const event of [...this.#streams.events(this.#name), ...this.#past]) {
      byId.set(event.id, event);
    }
    const latest = [...byId.values()].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, EVENTS);
    this.happened.replaceChildren(
      ...latest.map(({ at, change, state, text, source }) =>
        h(
          'li',
          {},
          h('time', { datetime: at, class: 'faint' }, format.clock(at)),
          ' ',
          text ?? state ?? source ?? change,
        ),
      ),
    );
    if (!latest.length) this.happened.append(h('li', { class: 'faint' }, 'Nothing yet.'));
  }
}
