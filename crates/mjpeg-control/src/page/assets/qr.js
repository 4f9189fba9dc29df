// QR codes (ISO/IEC 18004): byte mode, error correction M, up to version 20 (666 bytes).

/// Makes the code of a text: rows of `true` for dark, without the quiet zone. Null if it is too long.
export function qr(text) {
  const bytes = [...new TextEncoder().encode(text)];
  for (let version = 1; version < BLOCKS.length; version++) {
    const code = new Code(version);
    const [blocks, checks] = [BLOCKS[version], CHECKS[version]];
    const data = padded(bytes, version < 10 ? 8 : 16, code.capacity() - blocks * checks);
    if (data) return code.withData(interleaved(data, blocks, checks));
  }
  return null;
}

/// By version: blocks, and check bytes per block.
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const CHECKS = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];

/// Mode, length, bytes, end, filler; `undefined` if there is no room.
function padded(bytes, lengthBits, room) {
  const bits = (value, count) => value.toString(2).padStart(count, '0');
  let all = bits(4, 4) + bits(bytes.length, lengthBits) + bytes.map((byte) => bits(byte, 8)).join('');
  if (all.length > 8 * room) return undefined;
  all += '0'.repeat(Math.min(4, 8 * room - all.length));
  const data = all.match(/.{1,8}/g).map((byte) => parseInt(byte.padEnd(8, '0'), 2));
  for (let filler = 0xec; data.length < room; filler ^= 0xec ^ 0x11) data.push(filler);
  return data;
}

/// Blocks and their check bytes, byte by byte in turn. The last blocks are longer by one.
function interleaved(data, blocks, checks) {
  const short = Math.floor(data.length / blocks);
  const longFrom = blocks - (data.length % blocks);
  const divisor = generator(checks);
  const parts = [];
  for (let at = 0, block = 0; block < blocks; block++) {
    const part = data.slice(at, (at += short + (block >= longFrom)));
    parts.push({ part, check: remainder(part, divisor) });
  }
  const all = [];
  for (let i = 0; i <= short; i++) for (const { part } of parts) if (i < part.length) all.push(part[i]);
  for (let i = 0; i < checks; i++) for (const { check } of parts) all.push(check[i]);
  return all;
}

function product(a, b) {
  let result = 0;
  for (; b; b >>= 1) {
    if (b & 1) result ^= a;
    a = (a << 1) ^ (a >> 7 ? 0x11d : 0);
  }
  return result;
}

/// (x - 1)(x - 2)(x - 4)…, without its first coefficient.
function generator(degree) {
  let factors = [1];
  for (let root = 1, i = 0; i < degree; i++, root = product(root, 2)) {
    factors = [...factors, 0].map((c, at) => c ^ (at ? product(factors[at - 1], root) : 0));
  }
  return factors.slice(1);
}

function remainder(data, divisor) {
  let rest = divisor.map(() => 0);
  for (const byte of data) {
    const factor = byte ^ rest[0];
    rest = divisor.map((c, at) => (rest[at + 1] ?? 0) ^ product(c, factor));
  }
  return rest;
}

function binaryRemainder(value, divisor) {
  const bits = (number) => 32 - Math.clz32(number);
  while (bits(value) >= bits(divisor)) value ^= divisor << (bits(value) - bits(divisor));
  return value;
}

class Code {
  constructor(version) {
    this.version = version;
    this.size = 17 + 4 * version;
    const rows = () => Array.from({ length: this.size }, () => Array(this.size).fill(false));
    // Which modules are dark, and which are no data.
    [this.dark, this.fixed] = [rows(), rows()];
    this.frame();
  }

  set(x, y, isDark) {
    this.dark[y][x] = isDark;
    this.fixed[y][x] = true;
  }

  square(x, y, reach, isDark) {
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        if (this.dark[y + dy]?.[x + dx] !== undefined) this.set(x + dx, y + dy, isDark(ring));
      }
    }
  }

  frame() {
    const { version, size } = this;
    for (let i = 0; i < size; i++) {
      this.set(6, i, i % 2 === 0);
      this.set(i, 6, i % 2 === 0);
    }
    const far = size - 4;
    for (const [x, y] of [[3, 3], [far, 3], [3, far]]) {
      this.square(x, y, 4, (ring) => ring !== 2 && ring !== 4);
    }
    const count = version < 2 ? 0 : Math.floor(version / 7) + 2;
    const step = 2 * Math.ceil((4 * version + 4) / (2 * count - 2));
    const places = Array.from({ length: count }, (_, i) => (i ? size - 7 - step * (count - 1 - i) : 6));
    for (const x of places) {
      for (const y of places) {
        const isCorner = [x, y].every((at) => at === 6 || at === size - 7) && (x === 6 || y === 6);
        if (!isCorner) this.square(x, y, 2, (ring) => ring !== 1);
      }
    }
    this.format(0);
    if (version < 7) return;
    const bits = (version << 12) | binaryRemainder(version << 12, 0x1f25);
    for (let i = 0; i < 18; i++) {
      const [a, b] = [size - 11 + (i % 3), Math.floor(i / 3)];
      this.set(a, b, Boolean((bits >> i) & 1));
      this.set(b, a, Boolean((bits >> i) & 1));
    }
  }

  format(mask) {
    const bits = ((mask << 10) | binaryRemainder(mask << 10, 0x537)) ^ 0x5412;
    for (let i = 0; i < 15; i++) {
      const isDark = Boolean((bits >> i) & 1);
      if (i < 8) this.set(this.size - 1 - i, 8, isDark);
      else this.set(8, this.size - 15 + i, isDark);
      if (i < 8) this.set(8, i < 6 ? i : i + 1, isDark);
      else this.set(i < 9 ? 7 : 14 - i, 8, isDark);
    }
    this.set(8, this.size - 8, true);
  }

  /// Data is in pairs of columns, up and down in turn.
  eachData(see) {
    for (let right = this.size - 1, isUp = true; right > 0; right -= 2, isUp = !isUp) {
      if (right === 6) right--;
      for (let i = 0; i < this.size; i++) {
        const y = isUp ? this.size - 1 - i : i;
        for (const x of [right, right - 1]) if (!this.fixed[y][x]) see(x, y);
      }
    }
  }

  capacity() {
    let modules = 0;
    this.eachData(() => modules++);
    return modules >> 3;
  }

  mask(mask) {
    this.eachData((x, y) => (this.dark[y][x] = this.dark[y][x] !== MASKS[mask](x, y)));
    this.format(mask);
  }

  withData(bytes) {
    let at = 0;
    this.eachData((x, y) => {
      this.dark[y][x] = Boolean((bytes[at >> 3] >> (7 - (at & 7))) & 1);
      at++;
    });
    // With the mask that scanners like most.
    let best = { penalty: Infinity };
    for (const mask of MASKS.keys()) {
      this.mask(mask);
      const found = penalty(this.dark);
      if (found < best.penalty) best = { penalty: found, dark: this.dark.map((row) => [...row]) };
      this.mask(mask);
    }
    return best.dark;
  }
}

const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => ((x / 3 | 0) + (y / 2 | 0)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/// What misleads scanners most: long runs, and what looks like a corner.
function penalty(dark) {
  const line = (row) => row.map(Number).join('');
  let sum = 0;
  for (const text of [...dark.map(line), ...dark.map((_, x) => line(dark.map((row) => row[x])))]) {
    for (const [run] of text.matchAll(/(.)\1{4,}/g)) sum += run.length - 2;
    sum += 40 * [...text.matchAll(/(?=10111010000|00001011101)/g)].length;
  }
  return sum;
}
