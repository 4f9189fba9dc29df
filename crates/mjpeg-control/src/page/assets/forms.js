// Adding and changing a camera.

import { api } from './api.js';
import { $, h, openDialog, say } from './dom.js';
import { inOrder, keyField, once, row, select } from './fields.js';

/// Opens the dialog that adds a camera.
export async function openAdd() {
  const dialog = openDialog('Add a camera', h('p', { class: 'hint', role: 'status' }, 'Loading…'));
  await orSay(dialog, async () => {
    const schema = await api('GET', 'schema');
    show(dialog, new StreamForm(dialog, schema, null).element);
    $('input', dialog).focus();
  });
}

/// Opens the dialog that changes, pauses or removes a camera.
export async function openEdit(name) {
  const dialog = openDialog(name, h('p', { class: 'hint', role: 'status' }, 'Loading…'));
  await orSay(dialog, () => reload(dialog, name));
}

async function reload(dialog, name, notice = '') {
  const path = `streams/${encodeURIComponent(name)}`;
  const [schema, stream] = await Promise.all([api('GET', 'schema'), api('GET', path)]);
  const form = new StreamForm(dialog, schema, stream);
  show(dialog, [
    h('p', { class: 'warning', role: 'alert', hidden: !notice }, notice),
    actions(dialog, stream, path),
    stream.config ? form.element : null,
  ]);
  // What had the focus is gone.
  if (notice) $('input, textarea', dialog)?.focus();
}

function show(dialog, content) {
  const header = $('header', dialog);
  for (const old of [...dialog.children]) if (old !== header) old.remove();
  dialog.append(h('div', { class: 'form' }, content));
}

async function orSay(dialog, run) {
  try {
    await run();
  } catch (error) {
    show(dialog, h('p', { class: 'problem', role: 'alert' }, error.text ?? error.message));
  }
}

const changed = () => document.dispatchEvent(new Event('changed'));

function actions(dialog, stream, path) {
  const state = h('p', { role: 'status' });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const tell = (now) => {
    say(state, `Now: ${now.text}`);
    pause.hidden = now.state === 'paused';
    resume.hidden = !pause.hidden;
    retry.hidden = !['offline', 'stalled', 'connecting'].includes(now.state);
  };
  const act = (word) => async () => {
    say(problem, '');
    try {
      if (word === 'remove') return await removed(dialog, stream, path);
      await once(dialog, () => api('POST', `${path}/${word}`));
      changed();
      tell(await api('GET', path));
      // The one that was clicked may be gone.
      if (word !== 'retry') [pause, resume].find((button) => !button.hidden).focus();
    } catch (error) {
      if (error.status === 412) return orSay(dialog, () => reload(dialog, stream.name, CHANGED));
      say(problem, error.text);
    }
  };
  const button = (text, word, kind) =>
    h('button', { type: 'button', class: kind, onclick: act(word) }, text);
  const pause = button('Pause', 'pause');
  const resume = button('Resume', 'resume');
  const retry = button('Try now', 'retry');
  const all = h('div', { class: 'actions' }, pause, resume, retry, button('Remove', 'remove', 'danger'));
  tell(stream);
  return h('div', { class: 'form' }, state, all, problem);
}

/// Removes the camera, if that is really meant.
async function removed(dialog, stream, path) {
  const { name, version } = stream;
  // What a file says comes back with the next start.
  const [until, query] = isElsewhere(stream) ? [' until the relay starts anew', '?persist=false'] : ['', ''];
  if (!confirm(`Remove ${name}${until}? Its viewers are disconnected.`)) return;
  await once(dialog, () => api('DELETE', path + query, {}, { ifMatch: `"${version}"` }));
  changed();
  dialog.close();
}

const isElsewhere = ({ origin }) => origin === 'file' || origin === 'command_line';

/// Offers the cameras of the relay's machine, if they may be added. Without them, the field is as
/// good as before.
async function offerDevices({ input }, kinds = []) {
  if (!kinds.includes('v4l2')) return;
  const { devices } = await api('GET', 'devices').catch(() => ({ devices: [] }));
  const options = devices
    .filter(({ source }) => source)
    .map(({ source, card }) => h('option', { value: source }, card));
  if (!options.length) return;
  const list = h('datalist', { id: `${input.id}-devices` }, options);
  input.after(list);
  input.setAttribute('list', list.id);
}

class StreamForm {
  /// `stream` is null for a new one.
  constructor(dialog, schema, stream) {
    Object.assign(this, { dialog, stream, checking: null, timer: 0, touched: new Set() });
    const config = stream?.config ?? {};
    const known = inOrder(schema).filter(([key]) => key !== 'start' && !(stream && key === 'name'));
    const field = ([key, part]) => keyField(key, part, config[key]);
    const isFirst = (part) => schema.required.includes(part[0]);
    const isCommon = (part) => part[1]['x-common'];
    const first = known.filter(isFirst).map(field);
    const common = known.filter((part) => !isFirst(part) && isCommon(part)).map(field);
    const more = known.filter((part) => !isFirst(part) && !isCommon(part)).map(field);
    this.fields = [...first, ...common, ...more];
    this.initial = Object.fromEntries(this.fields.map(({ key, value }) => [key, value()]));
    this.anyway = row('Add it even if the camera does not answer now', h('input', { type: 'checkbox' }));
    this.keeping = this.keepingRow();
    this.warning = h('p', { class: 'warning', role: 'status', hidden: true });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.progress = h('span', { class: 'hint', role: 'status' });
    const elements = (fields) => fields.map(({ element }) => element);
    for (const { input } of first) input.required = true;
    offerDevices(this.fields.find(({ key }) => key === 'source'), schema.properties.source['x-kinds']);
    this.element = h(
      'form',
      { novalidate: true, onsubmit: (event) => this.submit(event), oninput: (event) => this.typed(event) },
      elements(first),
      stream ? null : this.anyway.element,
      elements(common),
      h('details', {}, h('summary', {}, 'More'), h('div', { class: 'form' }, elements(more))),
      this.keeping.element,
      this.warning,
      this.problem,
      h(
        'div',
        { class: 'actions' },
        h('button', { class: 'primary' }, stream ? 'Save' : 'Add'),
        this.progress,
      ),
    );
  }

  keepingRow() {
    const choices = [['true', 'For good'], ['false', 'Only until the relay starts anew']];
    const { stream } = this;
    if (!stream || !isElsewhere(stream)) {
      const isOfRun = stream?.origin === 'run';
      if (stream?.origin === 'cluster') choices[0][1] = 'For good, on all relays of the cluster';
      return row('Keep this', select(choices, String(!isOfRun)));
    }
    const where = stream.origin === 'file' ? 'in a file of the relay' : 'on the command line of the relay';
    const hint = `This camera is defined ${where}: change it there to keep the change.`;
    return row('Keep this', select(choices.slice(1)), hint);
  }

  body() {
    const body = {};
    for (const { key, value } of this.fields) {
      const [now, before] = [value(), this.initial[key]];
      if (JSON.stringify(now) !== JSON.stringify(before)) body[key] = now ?? null;
    }
    if (!this.stream && this.anyway.input.checked) body.start = 'retry';
    return body;
  }

  send(body, query, options) {
    const keep = `persist=${this.keeping.input.value}${query}`;
    if (!this.stream) return api('POST', `streams?${keep}`, body, options);
    const ifMatch = `"${this.stream.version}"`;
    const path = `streams/${encodeURIComponent(this.stream.name)}`;
    return api('PATCH', `${path}?${keep}`, body, { ifMatch, ...options });
  }

  typed({ target }) {
    for (const field of [...this.fields, this.keeping]) {
      if (field.element.contains(target)) this.touched.add(field);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), CHECK_MS);
  }

  /// Asks the relay what is wrong, without changing anything.
  async check() {
    this.checking?.abort();
    const { signal } = (this.checking = new AbortController());
    const body = this.body();
    // The rest can be checked before there is a name.
    if (!this.stream) body.name ??= `new-${Date.now()}`;
    try {
      const { warnings } = await this.send(body, '&dry_run=true', { signal });
      this.complain(null);
      say(this.warning, warnings.join('\n'));
      this.warning.hidden = !warnings.length;
    } catch (error) {
      if (signal.aborted || !error.status) return;
      this.complain(error, (field) => this.touched.has(field));
    }
  }

  /// Shows what is wrong, at the fields that it is about. Returns the first of them.
  complain(error, isShown = () => true) {
    const wrongs = error?.errors.slice() ?? [];
    if (error?.code === 'already_exists' && !wrongs.length) wrongs.push({ key: 'name', message: error.detail });
    const keyOf = (key) => (key ?? '').split(/[.[]/)[0];
    const messages = (field) =>
      wrongs.filter(({ key }) => keyOf(key) === field.key).map(({ message }) => message);
    for (const field of this.fields) field.complain(isShown(field) ? messages(field).join('; ') : '');
    const isStorage = ['not_persistent', 'defined_in_file'].includes(error?.code);
    this.keeping.complain(isStorage ? `${error.detail}. Or keep it only until the relay starts anew.` : '');
    const isTold = isStorage || this.fields.some((field) => messages(field).length);
    say(this.problem, !error || isTold ? '' : error.text);
    const wrong = this.fields.find((field) => messages(field).length);
    return wrong ?? (isStorage ? this.keeping : undefined);
  }

  async submit(event) {
    event.preventDefault();
    clearTimeout(this.timer);
    this.checking?.abort();
    const body = this.body();
    const missing = this.fields.filter(({ input, value }) => input.required && !value());
    for (const field of missing) field.complain('This is needed.');
    if (missing.length) return missing[0].input.focus();
    if (!this.stream) say(this.progress, 'Connecting to the camera…');
    try {
      await once(this.dialog, () => this.send(body, ''));
      changed();
      this.dialog.close();
    } catch (error) {
      if (error.status === 412) {
        return orSay(this.dialog, () => reload(this.dialog, this.stream.name, CHANGED));
      }
      const wrong = this.complain(error);
      const isOfCamera = !this.stream && [502, 504].includes(error.status);
      if (isOfCamera) say(this.problem, `${error.detail}. Is the address right? Else add it all the same.`);
      const field = wrong ?? (isOfCamera ? this.anyway : null);
      field?.element.closest('details')?.setAttribute('open', '');
      field?.input.focus();
    } finally {
      say(this.progress, '');
    }
  }
}

const CHECK_MS = 350;
const CHANGED =
  'Somebody else has changed this camera. It is shown as it is now; your changes are not saved.';
