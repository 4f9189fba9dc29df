// The wall of cameras.

import { ApiError } from './api.js';
import { $, h, say } from './dom.js';
import { arrange, cap } from './layout.js';
import { applyTheme, byName, prefs, remember } from './prefs.js';
import { logInAgain, logOut, session } from './session.js';
import { Streams } from './streams.js';
import { Tile } from './tile.js';
import { Wall } from './wall.js';

const parameters = new URLSearchParams(location.search);
/// `/?tiles=a,b&fps=2` shows these and nothing around them.
const named = parameters.get('tiles')?.split(',').filter(Boolean);
const kiosk = named && [...new Set(named)];
const kioskFps = Number(parameters.get('fps')) || null;
const SESSION_MS = 10_000;
const REFUSED_MS = 15_000;

const list = $('#wall');
const tiles = new Map();
const streams = new Streams();
let full = null;
let who = null;
/// Why the list cannot be read.
let problem = null;

const wall = new Wall({
  frame: (box) => (box.tile ? box.tile.frame(box) : full?.frame(box)),
  state(box, state, code, detail) {
    const isRefused = state === 'refused' || state === 'ended';
    // The session may have ended.
    if (isRefused && who?.user) checkSession();
    const text = isRefused ? (detail ?? code ?? state) : '';
    if (!box.tile) full?.refused(text);
    // What is said in the full view holds for the tile.
    const tile = box.tile ?? tiles.get(box.stream);
    if (!tile) return;
    tile.code = isRefused ? code : '';
    tile.refused = text;
    if (tile.stream) tile.show(tile.stream);
  },
  answers: () => !problem,
  // Streams in the place of the socket need the connection that events use.
  mode() {
    streams.mayListen = wall.mode !== 'images';
    document.documentElement.dataset.wall = wall.mode;
  },
});

// Which tiles there are, in which order.

/// All of them, in this person's order: those that were never moved come last, as the relay has them.
function allNames() {
  const place = new Map(prefs.order.map((name, at) => [name, at]));
  const by = (name) => place.get(name) ?? Infinity;
  return [...streams.byName.keys()].sort((a, b) => (by(a) === by(b) ? 0 : by(a) - by(b)));
}

function shownNames() {
  if (kiosk) return kiosk.filter((name) => streams.byName.has(name));
  return allNames().filter((name) => !prefs.group || prefs.groups[name] === prefs.group);
}

function refreshTiles() {
  const names = shownNames();
  const wanted = new Set(names);
  for (const [name, tile] of tiles) {
    if (wanted.has(name)) continue;
    inSight.unobserve(tile.element);
    wall.remove(tile.box);
    tile.element.remove();
    tiles.delete(name);
  }
  names.forEach((name, at) => {
    let tile = tiles.get(name);
    if (!tile) {
      tile = new Tile(name, { open, key: onTileKey, drop: move });
      tile.box.tile = tile;
      tiles.set(name, tile);
      wall.add(tile.box);
      inSight.observe(tile.element);
    }
    tile.show(streams.byName.get(name));
    // Moving a tile takes the focus from it.
    if (list.children[at] !== tile.element) {
      list.insertBefore(tile.element, list.children[at] ?? null);
    }
  });
  arrangeTiles();
}

function arrangeTiles() {
  const ratios = [...tiles.values()].map(({ box }) => box.ratio ?? 0).filter(Boolean).sort();
  const ratio = ratios[Math.floor(ratios.length / 2)] ?? 16 / 9;
  const first = tiles.values().next().value;
  const style = getComputedStyle(list);
  const [gap, pad] = [parseFloat(style.rowGap) || 0, parseFloat(style.paddingLeft) || 0];
  const { columns, row } = arrange({
    count: tiles.size,
    ratio: Math.max(ratio, 0.5),
    bar: first ? $('.bar', first.element).offsetHeight : 0,
    gap,
    width: list.clientWidth - 2 * pad,
    height: innerHeight - list.getBoundingClientRect().top - scrollY - pad,
    size: kiosk ? 'fit' : prefs.size,
  });
  list.style.setProperty('--columns', columns);
  list.style.setProperty('--row', `${Math.floor(row)}px`);
  wall.update();
}

/// Only what can be seen is asked for.
const inSight = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const tile = tiles.get(target.dataset.stream);
    if (tile?.element === target) tile.inSight = isIntersecting;
  }
  pace();
});

/// Tells the wall which tiles are visible, and how many pictures each needs.
function pace() {
  const visible = [...tiles.values()].filter((tile) => tile.inSight);
  const fps = cap(prefs.fps, visible.length);
  for (const tile of tiles.values()) {
    // The full view hides the wall.
    tile.box.isVisible = Boolean(tile.inSight) && !full;
    tile.box.fps = kioskFps && (!fps || kioskFps < fps) ? kioskFps : fps;
  }
  if (full) full.box.fps = cap('all', 1);
  wall.update();
}

// Order and focus.

/// Puts one in the place of another.
function move(name, onto) {
  if (name === onto || !tiles.has(name)) return;
  const names = allNames();
  const to = names.indexOf(onto);
  names.splice(to, 0, ...names.splice(names.indexOf(name), 1));
  remember({ order: names });
  refreshTiles();
}

function onTileKey(tile, event) {
  const columns = Number(list.style.getPropertyValue('--columns')) || 1;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  const step = steps[event.key];
  if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const names = [...tiles.keys()].sort((a, b) => at(a) - at(b));
  const other = tiles.get(names[names.indexOf(tile.name) + step]);
  if (!other) return;
  if (!event.shiftKey) return other.button.focus();
  move(tile.name, other.name);
  tile.button.focus();
}

const at = (name) => [...list.children].indexOf(tiles.get(name).element);

// The full view.

async function open(name) {
  const { FullView } = await import('./full.js');
  if (full || !streams.byName.has(name)) return;
  wall.want(name);
  full = new FullView(name, { streams, wall, next, regroup });
  history.replaceState(null, '', `#${encodeURIComponent(name)}`);
  full.dialog.addEventListener('close', () => {
    full = null;
    history.replaceState(null, '', location.pathname + location.search);
    pace();
    tiles.get(name)?.button.focus();
  });
  pace();
}

/// Opens the one that is so many steps from this one.
function next(name, step) {
  const names = shownNames();
  const other = names[(names.indexOf(name) + step + names.length) % names.length];
  if (!other || other === name) return;
  full.dialog.close();
  // When it has closed.
  setTimeout(() => open(other));
}

function regroup(name, group) {
  const groups = byName(prefs.groups);
  if (group) groups[name] = group;
  else delete groups[name];
  remember({ groups });
  if (prefs.group && !Object.values(groups).includes(prefs.group)) remember({ group: '' });
  showTools();
  refreshTiles();
}

// What stands above the wall.

const choice = (label, value, options, chosen) =>
  h(
    'select',
    { 'aria-label': label, title: label, onchange: ({ target }) => chosen(target.value) },
    options.map(([key, text]) => h('option', { value: key, selected: key === value }, text)),
  );

function showTools() {
  const names = [...new Set(Object.values(prefs.groups))].sort();
  const tools = [
    names.length > 0 &&
      choice(
        'Group',
        prefs.group,
        [['', 'All groups'], ...names.map((name) => [name, name])],
        (group) => (remember({ group }), refreshTiles()),
      ),
    choice(
      'Size of the tiles',
      prefs.size,
      [['fit', 'Fit'], ['small', 'Small'], ['medium', 'Medium'], ['large', 'Large']],
      (size) => (remember({ size }), arrangeTiles()),
    ),
    choice(
      'Pictures per second',
      prefs.fps,
      [['auto', 'Auto fps'], ['1', '1 fps'], ['2', '2 fps'], ['5', '5 fps'], ['all', 'All fps']],
      (fps) => (remember({ fps }), pace()),
    ),
    choice(
      'Colours',
      prefs.theme,
      [['auto', 'Auto'], ['light', 'Light'], ['dark', 'Dark']],
      (theme) => (remember({ theme }), applyTheme()),
    ),
    streams.hasRecordings &&
      h('button', { type: 'button', id: 'recordings', onclick: showRecordings }, 'Time-lapses'),
    streams.mayAdd &&
      h('button', { type: 'button', id: 'add', class: 'primary', onclick: addCamera }, 'Add camera'),
    who?.user && h('span', { id: 'person', class: 'faint' }, who.user),
    who?.has_session && h('button', { type: 'button', id: 'logout', onclick: leave }, 'Log out'),
    who?.has_users && !who.user && h('a', { href: 'login', class: 'button' }, 'Log in'),
  ];
  const key = JSON.stringify([names, streams.mayAdd, streams.hasRecordings, who]);
  if (showTools.key === key) return;
  showTools.key = key;
  $('#tools').replaceChildren(...tools.filter(Boolean));
}

const addCamera = async () => (await import('./forms.js')).openAdd();

async function showRecordings() {
  const { openRecordings } = await import('./recordings.js');
  // Of a stream that is gone, those may change them who may add one.
  openRecordings({ mayControl: (name) => streams.byName.get(name)?.mayControl });
}

async function leave() {
  try {
    await logOut();
    location.reload();
  } catch (error) {
    say($('#message'), error.text ?? String(error));
  }
}

function showSummary() {
  const all = [...streams.byName.values()];
  const online = all.filter(({ state }) => state === 'online').length;
  say($('#summary'), all.length ? `${online} of ${all.length} online` : '');
  const isEmpty = streams.isRead && !tiles.size;
  const inGroup = prefs.group && all.length ? ' in this group' : '';
  const missing = kiosk ? 'None of these cameras is here.' : `There are no cameras to see here${inGroup}.`;
  if (!problem) say($('#message'), isEmpty ? missing : '');
}

// What changes is also said, a moment later and all at once.

const changes = new Map();
let saying = 0;

function announce({ name, state }) {
  changes.set(name, state);
  saying ||= setTimeout(() => {
    saying = 0;
    const said = [...changes].map(([camera, now]) => `${camera}: ${now}`);
    $('#said').textContent = said.length > 4 ? `${said.length} cameras changed` : said.join(', ');
    changes.clear();
  }, 1000);
}

// Who is here.

let isAsking = false;

/// Notices when a session has ended: nothing is shown until somebody has logged in again, or wants
/// to go on as a stranger.
async function checkSession() {
  if (isAsking) return;
  isAsking = true;
  try {
    const before = who;
    who = await session();
    showTools();
    if (before?.user && !who.user) {
      wall.stop();
      streams.stop();
      document.documentElement.dataset.session = 'ended';
      await logInAgain();
      delete document.documentElement.dataset.session;
      who = await session();
      showTools();
      wall.start();
      await streams.start();
    }
  } catch (error) {
    // The list says that the relay does not answer.
    if (!(error instanceof ApiError)) throw error;
  } finally {
    isAsking = false;
  }
}

streams.addEventListener('list', () => {
  refreshTiles();
  showTools();
  showSummary();
  full?.list();
});
streams.addEventListener('state', ({ detail }) => {
  announce(detail);
  const tile = tiles.get(detail.name);
  if (tile) tile.show(streams.byName.get(detail.name));
  // It may be one that was refused.
  if (tile?.refused) wall.retry();
  showSummary();
});
streams.addEventListener('told', ({ detail }) => full?.told(detail));
streams.addEventListener('problem', ({ detail }) => {
  problem = detail;
  // It answers again.
  if (!detail) wall.connect();
  say($('#message'), detail?.text ?? '');
  document.documentElement.classList.toggle('cut-off', Boolean(detail));
});
document.addEventListener('unauthenticated', checkSession);
matchMedia('(prefers-reduced-motion: reduce)').addEventListener('change', pace);
addEventListener('resize', arrangeTiles);

setInterval(() => {
  let isReshaped = false;
  for (const tile of tiles.values()) {
    const age = wall.age(tile.box);
    tile.tick(age);
    if (tile.stream) tile.stream.age = age;
    isReshaped ||= tile.box.ratio !== tile.ratio;
    tile.ratio = tile.box.ratio;
  }
  full?.tick();
  // The first pictures say which shape tiles have.
  if (isReshaped) arrangeTiles();
}, 500);
setInterval(() => !document.hidden && who?.user && checkSession(), SESSION_MS);
setInterval(() => {
  // There may be room by now. Whoever was disconnected by somebody stays so.
  if ([...tiles.values()].some(({ code }) => code && code !== 'kicked')) wall.retry();
}, REFUSED_MS);

applyTheme();
document.documentElement.classList.toggle('kiosk', Boolean(kiosk));
await checkSession();
wall.start();
await streams.start();
try {
  if (location.hash) open(decodeURIComponent(location.hash.slice(1)));
} catch {
  // It names nothing.
}
