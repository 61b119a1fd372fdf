/**
 * An animated GIF (89a) that loops for ever.
 * @param {{width: number, height: number, palette: number[][], frames: {pixels: Uint8Array, delay: number}[]}} image
 *   `pixels` are indices into the palette of at most 256 [red, green, blue]; `delay` is in hundredths of a second
 * @returns {Uint8Array}
 */
export function encodeGif({ width, height, palette, frames }) {
  const bits = Math.max(Math.ceil(Math.log2(palette.length)), 2);
  const out = [];
  const short = (value) => out.push(value & 0xff, value >> 8);
  const text = (word) => out.push(...Array.from(word, (letter) => letter.charCodeAt(0)));

  text("GIF89a");
  short(width);
  short(height);
  out.push(0x80 | (bits - 1), 0, 0);
  for (let index = 0; index < 1 << bits; index += 1) out.push(...(palette[index] ?? [0, 0, 0]));
  out.push(0x21, 0xff, 11);
  text("NETSCAPE2.0");
  out.push(3, 1, 0, 0, 0);

  for (const { pixels, delay } of frames) {
    out.push(0x21, 0xf9, 4, 0);
    short(delay);
    out.push(0, 0);
    out.push(0x2c, 0, 0, 0, 0);
    short(width);
    short(height);
    out.push(0, bits);
    const packed = compress(pixels, bits);
    for (let start = 0; start < packed.length; start += 255) {
      const block = packed.slice(start, start + 255);
      out.push(block.length, ...block);
    }
    out.push(0);
  }
  out.push(0x3b);
  return Uint8Array.from(out);
}

const MOST_CODES = 4096;

/** LZW with codes of growing width, packed from the lowest bit on. */
function compress(pixels, bits) {
  const clear = 1 << bits;
  const end = clear + 1;
  const out = [];
  let buffer = 0;
  let filled = 0;
  let width = bits + 1;
  let next = end + 1;
  /** From (code of a known string, pixel after it) to the code of the longer string. */
  let known = new Map();

  const emit = (code) => {
    buffer |= code << filled;
    filled += width;
    while (filled >= 8) {
      out.push(buffer & 0xff);
      buffer >>>= 8;
      filled -= 8;
    }
  };

  emit(clear);
  let current = pixels[0];
  for (let index = 1; index < pixels.length; index += 1) {
    const key = (current << 8) | pixels[index];
    const longer = known.get(key);
    if (longer !== undefined) {
      current = longer;
      continue;
    }
    emit(current);
    if (next < MOST_CODES) {
      // The decoder learns each code one step later, so the width grows when the code before `next` has filled it.
      if (next === 1 << width) width += 1;
      known.set(key, next);
      next += 1;
    } else {
      emit(clear);
      known = new Map();
      width = bits + 1;
      next = end + 1;
    }
    current = pixels[index];
  }
  emit(current);
  emit(end);
  if (filled > 0) out.push(buffer & 0xff);
  return out;
}
