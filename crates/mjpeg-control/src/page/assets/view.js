// One camera without anything around it, for other pages to embed.

import { $, h } from './dom.js';
import { Wall } from './wall.js';

const parameters = new URLSearchParams(location.search);
const name = decodeURIComponent(location.pathname.replace(/\/+$/, '').split('/').at(-2));
document.title = name;
const fps = Number(parameters.get('fps')) || null;
const slow = matchMedia('(prefers-reduced-motion: reduce)');
const picture = h('img', { class: 'picture', alt: name });
const note = h('p', { class: 'note', role: 'status' });
const view = $('#view');
Object.assign(view.dataset, { stream: name, state: '', ageMs: '', frames: 0 });
view.append(picture, note);

const box = { key: name, stream: name, element: picture, isVisible: true, canShrink: false };
const pace = () => {
  box.fps = slow.matches ? 1 : fps;
  wall.update();
};
let code = '';
const wall = new Wall({
  frame: () => (view.dataset.frames = box.frames),
  state: (_, state, why, detail) => {
    code = ['refused', 'ended'].includes(state) ? (why ?? state) : '';
    view.dataset.state = state;
    note.textContent = code && (detail ?? code);
  },
  mode: () => {},
  answers: () => true,
});
wall.add(box);
slow.addEventListener('change', pace);
pace();
wall.start();
setInterval(() => {
  const age = wall.age(box);
  view.dataset.ageMs = Number.isFinite(age) ? Math.round(age) : '';
}, 1000);
// One that was refused may be allowed by now, or be there again. Whoever was disconnected by
// somebody stays so until a click.
setInterval(() => code && code !== 'kicked' && wall.retry(), 10_000);
view.addEventListener('click', () => wall.want(name));
