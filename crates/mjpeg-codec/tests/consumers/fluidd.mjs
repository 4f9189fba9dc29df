// Reads a stream as Fluidd's viewer for mjpg-streamer does. Written anew from a description of what that does.

import { serve } from './pipe.mjs';

serve((contentType) => {
  if (!contentType.includes('multipart')) throw new Error(`not multipart: ${contentType}`);
  // As it stands there, quotes and dashes included.
  const [, boundary] = contentType.match(/boundary=([^;]+)/);
  const delimiter = Buffer.from(`--${boundary}`);
  let buffer = Buffer.alloc(0);

  return (read) => {
    buffer = Buffer.concat([buffer, read]);
    const frames = [];
    for (;;) {
      const start = buffer.indexOf(delimiter);
      if (start < 0) return frames;
      const from = start + delimiter.length;
      // A part is complete when the next delimiter is there; no length is looked at.
      const end = buffer.indexOf(delimiter, from);
      if (end < 0) return frames;
      const part = buffer.subarray(from, end);
      const blank = part.indexOf('\r\n\r\n');
      // The line end before the delimiter stays on the frame.
      if (blank >= 0) frames.push(part.subarray(blank + 4));
      buffer = buffer.subarray(end);
    }
  };
});
