// How large tiles are: all of them fit into the window, or they have a width and the page scrolls.

/// Narrower tiles do not tell anything; then the page scrolls.
const NARROWEST = 190;
const WIDTHS = { small: 220, medium: 340, large: 560 };

/// The number of columns and the height of the rows, in CSS pixels, for `count` tiles of pictures
/// with this ratio of width to height, each with a bar of this height, in an area `width` ×
/// `height` with gaps between.
export function arrange({ count, ratio, bar, gap, width, height, size }) {
  const tile = (columns) => (width - gap * (columns - 1)) / columns;
  if (size in WIDTHS) {
    const columns = Math.max(1, Math.floor((width + gap) / (WIDTHS[size] + gap)));
    return { columns, row: tile(columns) / ratio + bar };
  }
  let best = null;
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const row = (height - gap * (rows - 1)) / rows;
    const shown = Math.min(tile(columns), (row - bar) * ratio);
    if (!best || shown > best.shown) best = { columns, row, shown, rows };
  }
  if (best.shown >= NARROWEST || count === 0) {
    // No higher than the picture needs.
    return { columns: best.columns, row: Math.min(best.row, tile(best.columns) / ratio + bar) };
  }
  const columns = Math.max(1, Math.floor((width + gap) / (NARROWEST + 30 + gap)));
  return { columns, row: tile(columns) / ratio + bar };
}

/// How many pictures per second a tile may have, of so many that are visible: `null` for all.
export function cap(fps, visible) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return 1;
  if (fps === 'all') return null;
  if (fps !== 'auto') return Number(fps) || null;
  return visible <= 4 ? null : visible <= 16 ? 10 : 5;
}
