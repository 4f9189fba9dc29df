// What the relay keeps on its disk: time-lapses, which grow, and clips, which are whole.

import { api } from './api.js';
import { h, openDialog, say } from './dom.js';
import { once } from './fields.js';
import * as format from './format.js';
import { startForm } from './lapse.js';
import { Recording } from './recording.js';

const REFRESH_MS = 2000;
const KINDS = [
  ['timelapses', 'Time-lapses', 'There are no time-lapses here.'],
  ['clips', 'Clips', 'There are no clips here.'],
];

/// Opens the dialog that lists them: all, or those of one stream, of which a time-lapse can then be
/// started. `mayControl` says whether this person may control a stream; without it, who may add
/// time-lapses may change all of them.
export function openRecordings({ stream = null, mayControl } = {}) {
  new Recordings(stream, mayControl);
}

class Recordings {
  #stream;
  #mayControl;
  #lists;
  #mayAdd = false;
  /// Counts requests: an answer that comes after a later one's is too old.
  #asked = 0;
  #timer = 0;

  constructor(stream, mayControl) {
    this.#stream = stream;
    this.#mayControl = mayControl;
    this.said = h('p', { class: 'hint', role: 'status' });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.unread = h('p', { class: 'problem', role: 'alert' });
    this.#lists = KINDS.map(([kind, title, none]) => new RecordingList(kind, title, none, this));
    this.form = h('div', { hidden: true });
    this.dialog = openDialog(
      stream ? `Time-lapses of ${stream}` : 'Time-lapses',
      h(
        'div',
        { class: 'form' },
        this.unread,
        this.problem,
        this.said,
        this.form,
        this.#lists.map(({ element }) => element),
        !stream &&
          h('p', { class: 'hint' }, 'A time-lapse is started, and a clip kept, in the full view of a camera.'),
      ),
    );
    this.dialog.classList.add('recordings');
    this.dialog.addEventListener('close', () => {
      clearTimeout(this.#timer);
      this.#asked = Infinity;
    });
    this.refresh();
  }

  /// Whether this person may change what is kept of a stream.
  may(name) {
    return Boolean(this.#mayControl?.(name) ?? this.#mayAdd);
  }

  /// Runs a change while the buttons within are off, then says that it is done.
  async change(within, run, done) {
    say(this.problem, '');
    try {
      const said = await once(within, run);
      say(this.said, typeof done === 'function' ? done(said) : done);
      await this.refresh();
      return true;
    } catch (error) {
      if (error.status === undefined) throw error;
      say(this.problem, error.text);
      return false;
    }
  }

  /// Reads the lists, and again after a while.
  async refresh() {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    const text = document.hidden ? null : await this.#read(asked);
    if (asked !== this.#asked) return;
    if (text !== null) say(this.unread, text);
    this.#timer = setTimeout(() => this.refresh(), REFRESH_MS);
  }

  /// Returns what is wrong, or nothing.
  async #read(asked) {
    try {
      const answers = await Promise.all(KINDS.map(([kind]) => api('GET', kind)));
      if (asked === this.#asked) this.#show(answers);
      return '';
    } catch (error) {
      if (error.status === undefined) throw error;
      return error.status === 404 ? 'This relay keeps no time-lapses.' : error.text;
    }
  }

  #show(answers) {
    const mayAdd = answers[0].may_add;
    this.#mayAdd = mayAdd;
    const mayStart = this.#stream !== null && this.may(this.#stream);
    if (mayStart && !this.form.firstChild) this.form.append(startForm(this.#stream, this));
    this.form.hidden = !mayStart;
    this.#lists.forEach((list, at) => {
      const { [list.kind]: all, damaged, used_bytes: used, quota_bytes: quota } = answers[at];
      const isHere = ({ stream }) => this.#stream === null || stream === this.#stream;
      // Nobody knows any more of which stream they are.
      list.show(all.filter(isHere), this.#stream === null && mayAdd ? damaged : []);
      list.showSpace(used, quota);
    });
  }
}

/// Those of one kind.
class RecordingList {
  #shown = new Map();
  #damaged = '';

  constructor(kind, title, none, dialog) {
    this.kind = kind;
    this.dialog = dialog;
    this.title = h('h3', { tabindex: '-1' }, title);
    this.none = h('p', { class: 'faint', hidden: true }, none);
    this.list = h('ul', { class: 'kept', 'aria-label': title });
    this.lost = h('ul', { class: 'kept', hidden: true, 'aria-label': `Damaged: ${title}` });
    this.used = h('meter', { min: 0, id: `space-${kind}` });
    this.space = h('span', {});
    this.room = h(
      'p',
      { class: 'space', hidden: true },
      h('label', { for: this.used.id }, 'Space used'),
      this.used,
      this.space,
    );
    this.element = h('section', { class: 'form' }, this.title, this.room, this.none, this.list, this.lost);
  }

  /// What has the focus stays where it is: only what is new or gone changes the list.
  show(all, damaged) {
    const latest = all.slice().sort((a, b) => (a.created < b.created ? 1 : -1));
    const here = new Set(latest.map(({ id }) => id));
    for (const [id, recording] of this.#shown) {
      if (here.has(id)) continue;
      recording.element.remove();
      this.#shown.delete(id);
    }
    latest.forEach((info, at) => {
      let recording = this.#shown.get(info.id);
      if (!recording) {
        recording = new Recording(this.kind, info.id, this.dialog, this.title);
        this.#shown.set(info.id, recording);
      }
      recording.show(info);
      if (this.list.children[at] !== recording.element) {
        this.list.insertBefore(recording.element, this.list.children[at] ?? null);
      }
    });
    this.list.hidden = !latest.length;
    this.none.hidden = latest.length > 0;
    this.#showDamaged(damaged ?? []);
  }

  /// All of this kind share the space, those of other cameras included.
  showSpace(used, quota) {
    this.room.hidden = !quota;
    if (!quota) return;
    Object.assign(this.used, { max: quota, high: quota * 0.9, optimum: 0, value: used });
    say(this.space, `${format.bytes(used)} of ${format.bytes(quota)}`);
  }

  #showDamaged(damaged) {
    const key = JSON.stringify(damaged);
    if (key === this.#damaged) return;
    this.#damaged = key;
    this.lost.hidden = !damaged.length;
    this.lost.replaceChildren(
      ...damaged.map(({ id, reason, bytes }) => {
        const remove = async () => {
          if (!confirm(`Delete ${id}, which is damaged?`)) return;
          const path = `${this.kind}/${encodeURIComponent(id)}`;
          const isDone = await this.dialog.change(line, () => api('DELETE', path), 'It is deleted.');
          if (isDone) this.title.focus();
        };
        const line = h(
          'li',
          {},
          h('p', { class: 'problem about' }, `${id} is damaged: ${reason} (${format.bytes(bytes)})`),
          h(
            'p',
            { class: 'actions' },
            h('button', { type: 'button', class: 'danger', 'aria-label': `Delete ${id}`, onclick: remove }, 'Delete'),
          ),
        );
        return line;
      }),
    );
  }
}
