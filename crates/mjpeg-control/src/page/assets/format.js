// Figures for people.

export function age(ms) {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}

export function rate(kbits) {
  if (!Number.isFinite(kbits)) return '–';
  return kbits < 1000 ? `${Math.round(kbits)} kbit/s` : `${(kbits / 1000).toFixed(1)} Mbit/s`;
}

export const fps = (value) => (Number.isFinite(value) ? `${value} fps` : '–');

export const watching = (count) => (count === 1 ? '1 viewer' : `${count} viewers`);

export function bytes(count) {
  if (count < 2 ** 20) return `${Math.round(count / 2 ** 10)} KiB`;
  return count < 2 ** 30 ? `${(count / 2 ** 20).toFixed(1)} MiB` : `${(count / 2 ** 30).toFixed(1)} GiB`;
}

/// A length of time, in seconds.
export function span(seconds) {
  const [size, unit] = SPANS.find(([size]) => seconds >= size) ?? [0.001, 'ms'];
  return `${Number((seconds / size).toFixed(1))} ${unit}`;
}

const SPANS = [[86_400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];

export const clock = (time) => {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? '' : at.toLocaleTimeString();
};

export const since = (time) => age(Date.now() - new Date(time).getTime());

/// A day and a time.
export const when = (time) =>
  new Date(time).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
