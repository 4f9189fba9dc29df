// The page where somebody logs in.

import { $ } from './dom.js';
import { applyTheme } from './prefs.js';
import { loginForm } from './session.js';

applyTheme();
$('#place').append(loginForm(() => location.replace('./')));
