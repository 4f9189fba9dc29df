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

export const bytes = (count) =>
  count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;

export const clock = (time) => {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? '' : at.toLocaleTimeString();
};

export const since = (time) => age(Date.now() - new Date(time).getTime());
