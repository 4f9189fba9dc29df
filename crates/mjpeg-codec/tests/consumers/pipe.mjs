// How a test talks to a consumer: bodies come in on stdin, what was made of them goes out on stdout. Numbers have four bytes, the
// highest first.
//
// In: of each body its Content-Type, then its bytes, read by read, each preceded by its length; a length of 0 ends the body.
// Out: for each body the number of its frames, and of each frame the number of the read that completed it (the first is 0), its
// length, and its bytes.

import { readFileSync } from 'node:fs';

// `consumer(contentType)` returns a function that takes a read and returns the frames which that completed. What either throws
// ends the body.
export function serve(consumer) {
  for (const { contentType, reads } of bodies(readFileSync(0))) {
    const frames = [];
    try {
      const take = consumer(contentType);
      reads.forEach((read, i) => {
        for (const frame of take(read)) frames.push(u32(i), u32(frame.length), frame);
      });
    } catch (error) {
      console.error(`${error}`);
    }
    process.stdout.write(Buffer.concat([u32(frames.length / 3), ...frames]));
  }
}

function* bodies(input) {
  for (let at = 0; at < input.length;) {
    const pieces = [];
    for (;;) {
      const length = input.readUInt32BE(at);
      at += 4 + length;
      if (length === 0) break;
      pieces.push(input.subarray(at - length, at));
    }
    yield { contentType: pieces[0].toString(), reads: pieces.slice(1) };
  }
}

function u32(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
