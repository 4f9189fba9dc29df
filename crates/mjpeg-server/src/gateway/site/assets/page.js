// The page of the relay. Texts of cameras and of the relay may hold anything: they are set by
// textContent, never as markup.

const $ = (selector, within = document) => within.querySelector(selector);

/// Asks the relay. The header keeps the browser from asking for a password by itself.
function ask(method, path, body) {
  const headers = { 'X-Requested-With': 'page' };
  if (method !== 'GET') {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(body ?? {});
  }
  return fetch(path, { method, headers, body, cache: 'no-store' });
}

/// What a problem (RFC 9457) says, for people.
async function problem(response) {
  const { detail, hint, errors = [] } = await response.json().catch(() => ({}));
  const lines = errors.map(({ key, message }) => (key ? `${key}: ${message}` : message));
  const texts = [lines.length ? lines.join('; ') : detail, hint].filter(Boolean);
  return texts.length ? texts.join(' – ') : `The relay answered ${response.status}.`;
}

/// Sends a change. Returns whether it was made; else the reason is shown in this element.
async function change(method, path, body, shown) {
  shown.textContent = '';
  try {
    const response = await ask(method, path, body);
    if (response.ok) return true;
    shown.textContent = await problem(response);
  } catch {
    shown.textContent = 'The relay does not answer.';
  }
  return false;
}

/// Lets a form send itself by this function, once at a time.
function onSubmit(form, send) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = $('button', form);
    button.disabled = true;
    await send($('.problem', form));
    button.disabled = false;
  });
}

// Logging in.

function loginPage(form) {
  // HTTPS, or this machine.
  $('#insecure').hidden = isSecureContext;
  onSubmit(form, async (shown) => {
    const [name, password] = [$('#name').value, $('#password').value];
    if (await change('POST', 'login', { name, password }, shown)) return location.replace('./');
    $('#password').select();
  });
}

// The list.

const streams = $('#streams');
const cards = new Map();
const api = 'api/v1/streams';

function makeCard(name) {
  const card = $('#card').content.cloneNode(true).firstElementChild;
  const path = encodeURIComponent(name);
  const entry = { name, card, path, state: '', seen: 0, isNear: false };
  $('.name', card).textContent = name;
  if ('links' in streams.dataset) {
    for (const link of card.querySelectorAll('a')) link.href = `./${path}/`;
    near.observe(card);
  }
  const act = (button, method, more) =>
    $(button, card).addEventListener('click', async () => {
      if (method === 'DELETE' && !confirm(`Remove ${name}? Its viewers are disconnected.`)) return;
      const shown = $('.problem', card);
      if (await change(method, `${api}/${path}${more}`, undefined, shown)) await refresh();
    });
  for (const button of card.querySelectorAll('button')) {
    button.ariaLabel = `${button.textContent} ${name}`;
  }
  act('.pause', 'POST', '/pause');
  act('.resume', 'POST', '/resume');
  act('.remove', 'DELETE', '');
  cards.set(name, entry);
  return entry;
}

function show(entry, stream, mayAdd) {
  const { card } = entry;
  entry.state = stream.state;
  card.dataset.state = stream.state;
  const set = (selector, text) => {
    const element = $(selector, card);
    // Else a screen reader or a selection would start over.
    if (element.textContent !== text) element.textContent = text;
  };
  set('.state', stream.text ?? stream.state);
  const viewers = stream.viewers === 1 ? '1 viewer' : `${stream.viewers} viewers`;
  set('.figures', `${stream.fps} fps · ${viewers}`);
  // Those that the person may control are told in full.
  const mayControl = 'text' in stream;
  const isPaused = stream.state === 'paused';
  $('.pause', card).hidden = !mayControl || isPaused;
  $('.resume', card).hidden = !mayControl || !isPaused;
  $('.remove', card).hidden = !mayAdd || !['api', 'run'].includes(stream.origin);
  if (stream.state !== 'online') $('.picture', card).classList.add('old');
}

async function list() {
  const all = [];
  let [cursor, mayAdd] = ['', false];
  do {
    const response = await ask('GET', `${api}?limit=1000${cursor}`);
    if (!response.ok) throw new Error(await problem(response));
    const page = await response.json();
    all.push(...page.streams);
    mayAdd = page.may_add;
    cursor = page.next ? `&cursor=${encodeURIComponent(page.next)}` : '';
  } while (cursor);
  return { all, mayAdd };
}

async function refresh() {
  const message = $('#message');
  try {
    const { all, mayAdd } = await list();
    const names = new Set(all.map(({ name }) => name));
    for (const [name, { card }] of cards) {
      if (names.has(name)) continue;
      near.unobserve(card);
      card.remove();
      cards.delete(name);
    }
    all.forEach((stream, at) => {
      const entry = cards.get(stream.name) ?? makeCard(stream.name);
      show(entry, stream, mayAdd);
      // Moving a card takes the focus from it.
      if (streams.children[at] !== entry.card) {
        streams.insertBefore(entry.card, streams.children[at] ?? null);
      }
    });
    const adder = $('#adder');
    // The first thing to do.
    if (adder.hidden && mayAdd) adder.open = !all.length;
    adder.hidden = !mayAdd;
    message.textContent = all.length ? '' : 'There are no cameras to see here.';
  } catch (error) {
    const isOffline = error instanceof TypeError;
    message.textContent = isOffline ? 'The relay does not answer.' : error.message;
  }
}

// Pictures: of the cards in sight, a few at a time.

const near = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    for (const entry of cards.values()) {
      if (entry.card === target) entry.isNear = isIntersecting;
    }
  }
});

async function updatePicture(entry) {
  entry.seen = Date.now();
  const response = await ask('GET', `./${entry.path}/snapshot`).catch(() => undefined);
  if (!response?.ok || !cards.has(entry.name)) return;
  const url = URL.createObjectURL(await response.blob());
  const image = $('.picture', entry.card);
  const release = () => URL.revokeObjectURL(url);
  image.addEventListener('load', release, { once: true });
  image.addEventListener('error', release, { once: true });
  image.src = url;
  image.hidden = false;
  image.classList.remove('old');
}

/// Goes on with the picture that is the oldest. A camera that is not online is left alone: those on
/// demand would be connected.
async function updatePictures() {
  for (;;) {
    const due = Date.now() - PICTURE_MS;
    const wanted = [...cards.values()].filter(
      ({ isNear, state, seen }) => isNear && state === 'online' && seen < due,
    );
    wanted.sort((a, b) => a.seen - b.seen);
    if (wanted.length && !document.hidden) await updatePicture(wanted[0]).catch(() => {});
    else await sleep(200);
  }
}

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

async function listPage() {
  streams.replaceChildren();
  onSubmit($('#add'), async (shown) => {
    const [name, source] = [$('#name'), $('#source')];
    const body = { name: name.value, source: source.value.trim() };
    if ($('#anyway').checked) body.start = 'retry';
    if (!(await change('POST', api, body, shown))) return;
    name.value = source.value = '';
    await refresh();
  });
  const logout = $('#logout');
  if (logout) {
    logout.hidden = false;
    logout.addEventListener('click', async () => {
      if (await change('POST', 'logout', {}, $('#message'))) location.reload();
    });
  }
  for (let at = 0; at < PICTURES_AT_ONCE; at++) updatePictures();
  for (;;) {
    if (!document.hidden) await refresh();
    await sleep(LIST_MS);
  }
}

const LIST_MS = 2000;
const PICTURE_MS = 3000;
/// A browser has six connections to the relay, and needs some for what is watched elsewhere.
const PICTURES_AT_ONCE = 2;

const login = $('#login');
if (login) loginPage(login);
else listPage();
