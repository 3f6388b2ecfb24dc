"""Small pictures of pages: a page has few colours, so a palette says the same in far fewer bytes."""

from __future__ import annotations

import base64
import struct
import zlib

from playwright.sync_api import Page

_INDEXED = """
async png => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const pixels = canvas.getImageData(0, 0, image.width, image.height).data;
  const colour = at => (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
  const counts = new Map();
  for (let at = 0; at < pixels.length; at += 4) counts.set(colour(at), (counts.get(colour(at)) || 0) + 1);
  const byCount = [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one) || one - other);
  const palette = byCount.slice(0, 256);
  const apart = (one, other) => [16, 8, 0].reduce(
    (sum, shift) => sum + Math.abs(((one >> shift) & 255) - ((other >> shift) & 255)), 0);
  const nearest = one => palette.reduce((best, other) => apart(one, other) < apart(one, best) ? other : best);
  const places = new Map(palette.map((one, place) => [one, place]));
  for (const rare of byCount.slice(256)) places.set(rare, places.get(nearest(rare)));
  let indices = "";
  for (let at = 0; at < pixels.length; at += 4) indices += String.fromCharCode(places.get(colour(at)));
  return {width: image.width, height: image.height, palette, indices: btoa(indices)};
}
"""
"""The pixels as numbers of colours; a colour that is not among the 256 most frequent becomes the nearest of them."""


def shrink(png: bytes, page: Page) -> bytes:
    """The same picture as a PNG with a palette; `page` is any page that may run a script."""
    found = page.evaluate(_INDEXED, base64.b64encode(png).decode())
    width, height = found["width"], found["height"]
    indices = base64.b64decode(found["indices"])
    rows = b"".join(b"\0" + indices[at : at + width] for at in range(0, width * height, width))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(colour.to_bytes(3, "big") for colour in found["palette"])),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
