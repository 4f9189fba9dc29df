// Reads a stream as Mainsail's viewer for mjpg-streamer does. Written anew from a description of what that does.

import { serve } from './pipe.mjs';

serve(() => {
  // What came since the last picture was drawn, up to the next SOI.
  let headers = '';
  let picture = null;
  let filled = 0;

  return (read) => {
    const drawn = [];
    for (let i = 0; i < read.length; i++) {
      // An SOI begins the picture, anew if one is begun already: then what was there is lost, and the rest goes where it would have
      // gone. Its two bytes are looked for in one read.
      if (read[i] === 0xff && read[i + 1] === 0xd8) {
        picture = new Uint8Array(new ArrayBuffer(contentLength(headers)));
      }
      if (picture === null) {
        headers += String.fromCharCode(read[i]);
      } else if (filled < picture.length) {
        picture[filled++] = read[i];
      } else {
        // It takes one more byte than the picture has to see that it is complete; that byte is dropped.
        drawn.push(picture);
        picture = null;
        filled = 0;
        headers = '';
      }
    }
    return drawn;
  };
});

// The last one counts. Where there is none, the length is one that no buffer can have.
function contentLength(headers) {
  let length = -1;
  for (const line of headers.split('\n')) {
    const [name, value] = line.split(':');
    if (name.toLowerCase() === 'content-length') length = Number.parseInt(value, 10);
  }
  return length;
}
