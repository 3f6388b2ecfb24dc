"""Pictures of pages are made small."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageChops

from local.docs.pictures.camera import shrink

SIZE = (64, 40)


def png(picture: Image.Image) -> bytes:
    """The picture as a browser takes it."""
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def gradient(colours: int) -> Image.Image:
    """A picture of so many colours, each of which is far from the next."""
    picture = Image.new("RGBA", SIZE)
    picture.putdata([(place % colours % 16 * 16, place % colours // 16 % 256, 99, 255) for place in range(64 * 40)])
    return picture


def test_picture_of_few_colours_keeps_each_of_them() -> None:
    with Image.open(BytesIO(shrink(png(gradient(96))))) as small:
        assert small.format == "WEBP"
        assert small.convert("RGB").tobytes() == gradient(96).convert("RGB").tobytes()


def test_picture_of_many_colours_has_few_that_are_near_them() -> None:
    across, down, round_about = (
        Image.linear_gradient("L").rotate(90),
        Image.linear_gradient("L"),
        Image.radial_gradient("L"),
    )
    whole = Image.merge("RGB", (across, down, round_about))

    with Image.open(BytesIO(shrink(png(whole)))) as picture:
        small = picture.convert("RGB")

    off = ImageChops.difference(small, whole).getextrema()
    assert small.size == whole.size
    assert len(small.getcolors(256 * 256) or []) <= 96
    assert max(most for _, most in off) <= 32
