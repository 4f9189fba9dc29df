// /page?how=img|cors|fetch&every=MS#URL: shows the stream of that URL, and keeps [number, time] of
// each picture when it is first seen. Samples at each animation frame, or every MS milliseconds.
const asked = new URLSearchParams(location.search);
const seen = [];
let error = '';

async function watch(img) {
  const every = Number(asked.get('every') || 0);
  for (let last = -1; ;) {
    await new Promise(next => every ? setTimeout(next, every) : requestAnimationFrame(next));
    const number = await readNumber(img);
    if (number >= 0 && number !== last) seen.push([number, Date.now()]);
    last = number;
  }
}

// Parses a multipart body as pages' scripts do, by Content-Length, and shows each picture as a
// blob.
async function readStream(url, img) {
  const response = await fetch(url, { cache: 'no-store' });
  if (!response.ok) throw new Error('status ' + response.status);
  const reader = response.body.getReader();
  let buffer = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the response ended');
    const joined = new Uint8Array(buffer.length + value.length);
    joined.set(buffer);
    joined.set(value, buffer.length);
    buffer = joined;
    for (;;) {
      const text = new TextDecoder('latin1').decode(buffer.subarray(0, 1024));
      const head = text.indexOf('\r\n\r\n');
      const length = /content-length: *(\d+)/i.exec(text.slice(0, head + 4));
      if (head < 0 || !length || buffer.length < head + 4 + Number(length[1])) break;
      const end = head + 4 + Number(length[1]);
      const address = URL.createObjectURL(new Blob([buffer.slice(head + 4, end)], { type: 'image/jpeg' }));
      img.onload = img.onerror = () => URL.revokeObjectURL(address);
      img.src = address;
      buffer = buffer.slice(end);
    }
  }
}

addEventListener('DOMContentLoaded', () => {
  const img = document.createElement('img');
  document.body.append(img);
  img.onerror = () => { error = 'error event of the <img>'; };
  if (asked.get('how') === 'cors') img.crossOrigin = 'anonymous';
  const url = location.hash.slice(1);
  window.opened = Date.now();
  if (asked.get('how') === 'fetch') readStream(url, img).catch(e => { error = String(e); });
  else img.src = url;
  watch(img);
});

// Returns the pictures seen since the last call, and the last error.
window.take = () => ({ seen: seen.splice(0), error });
