// The form that starts a time-lapse of a camera.

import { api } from './api.js';
import { h, say } from './dom.js';
import { row, select } from './fields.js';
import * as format from './format.js';

const UNITS = [
  ['1', 'seconds'],
  ['60', 'minutes'],
  ['3600', 'hours'],
  ['', 'only when asked'],
];

/// The form. `dialog` runs what it sends, and says what is wrong.
export function startForm(stream, dialog) {
  const number = (attributes) => h('input', { type: 'number', ...attributes });
  const every = row('Take a picture every', number({ min: 0.1, step: 'any', value: 10, required: true }));
  const unit = row('Unit', select(UNITS));
  const title = row('Title', h('input', { maxlength: 200, placeholder: 'optional' }));
  const until = row('Until', h('input', { type: 'datetime-local' }), 'If empty, until you finish it.');
  const most = row('Frames at most', number({ min: 1, step: 1, placeholder: 'no limit' }));
  const fps = row('Frames per second of the movie', number({ min: 1, max: 120, step: 1, value: 25 }));
  const fields = { every_s: every, title, until, max_frames: most, fps };
  const movie = h('p', { class: 'hint' });
  const seconds = () => Number(every.input.value) * Number(unit.input.value);
  const typed = () => {
    const isAsked = !unit.input.value;
    every.input.disabled = isAsked;
    const apart = seconds() * Number(fps.input.value);
    const isKnown = !isAsked && apart > 0 && Number.isFinite(apart);
    say(movie, isKnown ? `A day becomes a movie of ${format.span(86_400 / apart)}.` : '');
  };
  const wanted = () => {
    const wish = { stream };
    if (unit.input.value) wish.every_s = seconds();
    if (title.input.value.trim()) wish.title = title.input.value.trim();
    if (until.input.value) wish.until = new Date(until.input.value).toISOString();
    if (most.input.value) wish.max_frames = Number(most.input.value);
    if (fps.input.value) wish.fps = Number(fps.input.value);
    return wish;
  };
  const send = async (event) => {
    event.preventDefault();
    for (const field of Object.values(fields)) field.complain('');
    const start = async () => {
      try {
        return await api('POST', 'timelapses', wanted());
      } catch (error) {
        complain(fields, error);
        throw error;
      }
    };
    if (!(await dialog.change(form, start, 'The time-lapse is running.'))) return;
    form.reset();
    typed();
    element.open = false;
    element.firstChild.focus();
  };
  const form = h(
    'form',
    { class: 'form', onsubmit: send, oninput: typed },
    h('div', { class: 'columns' }, every.element, unit.element),
    title.element,
    h('div', { class: 'columns' }, most.element, fps.element),
    until.element,
    movie,
    h('div', { class: 'actions' }, h('button', { class: 'primary' }, 'Start')),
  );
  const element = h('details', {}, h('summary', {}, 'Start a time-lapse'), form);
  typed();
  return element;
}

/// Shows what is wrong at the fields that it is about, and goes to the first of them.
function complain(fields, { errors = [] }) {
  const wrong = errors.filter(({ key }) => fields[key]);
  for (const { key, message } of wrong) fields[key].complain(message);
  if (wrong.length) fields[wrong[0].key].input.focus();
}
