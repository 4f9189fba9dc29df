// Who is at the page: logging in and out.

import { ApiError, ask } from './api.js';
import { h, openDialog } from './dom.js';

/// Who the relay takes us for: `{ user, has_users, has_session }`.
export const session = () => ask('GET', 'login');

export const logOut = () => ask('POST', 'logout', {});

/// A form to log in, which calls this when that is done.
export function loginForm(done) {
  const name = h('input', {
    id: 'name',
    autocomplete: 'username',
    autocapitalize: 'none',
    spellcheck: 'false',
    required: true,
    autofocus: true,
  });
  const password = h('input', {
    id: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const button = h('button', { class: 'primary' }, 'Log in');
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = '';
    try {
      await ask('POST', 'login', { name: name.value, password: password.value });
      done();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = error.text;
      password.select();
    } finally {
      button.disabled = false;
    }
  };
  return h(
    'form',
    { id: 'login', onsubmit: send },
    // HTTPS, or this machine.
    !isSecureContext &&
      h(
        'p',
        { id: 'insecure', class: 'warning' },
        'This connection is not encrypted: whoever is on the way can read the password and the ' +
          'pictures.',
      ),
    h('div', { class: 'row' }, h('label', { for: 'name' }, 'Name'), name),
    h('div', { class: 'row' }, h('label', { for: 'password' }, 'Password'), password),
    problem,
    h('div', { class: 'actions' }, button),
  );
}

/// Asks to log in again. Resolves when that is done, or the dialog was closed.
export function logInAgain() {
  return new Promise((resolve) => {
    const form = loginForm(() => dialog.close());
    const dialog = openDialog(
      'Log in again',
      h('p', {}, 'Your session has ended.'),
      h('br'),
      form,
    );
    dialog.addEventListener('close', resolve);
  });
}
