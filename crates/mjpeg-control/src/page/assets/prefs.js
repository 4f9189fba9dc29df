// What this browser remembers: theme, layout, groups and order.

const KEY = 'mjpeg-page';
const DEFAULTS = { theme: 'auto', size: 'fit', fps: 'auto', group: '', groups: {}, order: [] };

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const known = Object.entries(DEFAULTS).map(([key, value]) => {
      const is = kept[key];
      const fits = typeof is === typeof value && Array.isArray(is) === Array.isArray(value) && is;
      return [key, fits ? is : structuredClone(value)];
    });
    return Object.fromEntries(known);
  } catch {
    // It may be forbidden, or hold something else.
    return structuredClone(DEFAULTS);
  }
}

export const prefs = read();
prefs.groups = byName(prefs.groups);

/// A copy that has nothing but what is in it: a camera may be called `constructor`.
export function byName(groups) {
  return Object.assign(Object.create(null), groups);
}

/// Changes some of them.
export function remember(changes) {
  Object.assign(prefs, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // They hold until the page is left.
  }
}

export function applyTheme() {
  const root = document.documentElement;
  if (prefs.theme === 'auto') delete root.dataset.theme;
  else root.dataset.theme = prefs.theme;
}
