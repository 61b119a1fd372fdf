import { encodeGif } from "./gif.js";
import { colours, paint, shapesOf } from "./picture.js";

const STEP = 70; // hundredths of a second
const LAST = 250;
const EDGE = 480; // pixels, roughly
const MOST_COLOURS = 64;

/** The thinking as an animated GIF. @param {import("./frame.js").Frame[]} frames */
export function animatedGif(frames) {
  const { side } = frames[0].maze;
  const scale = Math.max(Math.round(EDGE / side), 6);
  const theme = colours();
  const pictures = frames.map((frame) => {
    const canvas = paint(shapesOf(frame, theme), side, scale);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Uint32Array(data.buffer);
  });
  const palette = commonColours(pictures);
  const indexOf = nearest(palette);
  return encodeGif({
    width: side * scale,
    height: side * scale,
    palette,
    frames: pictures.map((picture, index) => ({
      pixels: Uint8Array.from(picture, indexOf),
      delay: index === pictures.length - 1 ? LAST : STEP,
    })),
  });
}

// Canvas pixels read as one number have red in the lowest byte.
const channels = (pixel) => [pixel & 0xff, (pixel >> 8) & 0xff, (pixel >> 16) & 0xff];

/** The most frequent colours. Cells are flat, so only smoothed edges fall outside. */
function commonColours(pictures) {
  const counts = new Map();
  for (const picture of pictures) {
    for (const pixel of picture) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  }
  const common = [...counts].sort(([, one], [, other]) => other - one).slice(0, MOST_COLOURS);
  return common.map(([pixel]) => channels(pixel));
}

function nearest(palette) {
  const found = new Map();
  const distance = (one, other) => one.reduce((sum, value, channel) => sum + (value - other[channel]) ** 2, 0);
  const search = (pixel) => {
    const colour = channels(pixel);
    let best = 0;
    palette.forEach((candidate, index) => {
      if (distance(candidate, colour) < distance(palette[best], colour)) best = index;
    });
    return best;
  };
  return (pixel) => {
    if (!found.has(pixel)) found.set(pixel, search(pixel));
    return found.get(pixel);
  };
}
