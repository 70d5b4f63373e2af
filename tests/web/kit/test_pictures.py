from __future__ import annotations

import io
import random
from typing import Any

import pytest
from PIL import Image

from ledger.errors import Invalid
from ledger.web.kit import pictures
from tests.camera import HEIC
from tests.camera import SECRETS
from tests.camera import bomb
from tests.camera import photo
from tests.camera import scene
from tests.camera import written

pytestmark = pytest.mark.asvs(35, 36)


def refused(content: bytes) -> str:
    with pytest.raises(Invalid) as found:
        pictures.drawn(content)
    return found.value.code


def test_a_picture_is_kept_without_what_the_camera_wrote_into_it() -> None:
    given = photo()
    assert all(secret in given for secret in (SECRETS[0], *SECRETS[2:]))
    kept = pictures.drawn(given).content
    assert not any(secret in kept for secret in SECRETS)
    image = Image.open(io.BytesIO(kept))
    assert (image.format, dict(image.getexif()), image.info.keys() & {"comment", "icc_profile", "exif"}) == ("JPEG", {}, set())


def test_what_hangs_on_behind_a_picture_is_not_kept() -> None:
    kept = pictures.drawn(photo() + b"<script>alert(1)</script>").content
    assert b"script" not in kept
    assert kept.endswith(b"\xff\xd9")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_of_each_kind_becomes_a_small_jpeg(kind: str) -> None:
    kept = pictures.drawn(written(scene(size=(3000, 2000)), kind)).content
    assert Image.open(io.BytesIO(kept)).size == (1600, 1067)
    assert len(kept) <= pictures.KEPT_BYTES_MAX


def test_a_picture_of_nothing_but_noise_is_kept_small_too() -> None:
    noise = Image.frombytes("RGB", (1600, 1600), random.Random(1).randbytes(1600 * 1600 * 3))
    assert len(pictures.drawn(written(noise, quality=90)).content) <= pictures.KEPT_BYTES_MAX


def test_a_picture_is_turned_upright() -> None:
    image = Image.new("RGB", (400, 200), "black")
    image.paste("white", (0, 0, 200, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright, so that its left is its top
    kept = Image.open(io.BytesIO(pictures.drawn(written(image, exif=exif)).content))
    assert kept.size == (200, 400)
    assert (kept.getpixel((100, 50)), kept.getpixel((100, 350))) == ((255, 255, 255), (0, 0, 0))


def test_what_is_seen_through_is_drawn_on_white() -> None:
    kept = Image.open(io.BytesIO(pictures.drawn(written(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG")).content))
    assert kept.getpixel((20, 20)) == (255, 255, 255)


def outcome(content: bytes) -> str:
    try:
        return "drawn" if pictures.drawn(content).content.startswith(b"\xff\xd8") else "something else"
    except Invalid as problem:
        return problem.code


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_a_picture_of_any_colours_is_drawn(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert Image.open(io.BytesIO(pictures.drawn(written(Image.new(mode, (64, 48)), kind)).content)).mode == "RGB"


def test_a_picture_too_large_to_look_at_is_refused_before_it_is_decoded() -> None:
    assert refused(bomb(30_000, 30_000)) == "photo-of-too-many-pixels"
    assert refused(bomb(10_001, 5_000)) == "photo-of-too-many-pixels"
    assert refused(bytes(pictures.FILE_BYTES_MAX + 1)) == "photo-too-large"


def test_what_is_no_picture_is_refused() -> None:
    svg, gif = b'<svg xmlns="http://www.w3.org/2000/svg"/>', written(scene(), "GIF")
    broken = photo()[:2000]
    assert [refused(content) for content in (b"", b"\0", svg, gif, broken, bomb(100, 100))] == ["photo-unreadable"] * 6
    assert refused(HEIC) == "photo-of-iphone"


def test_a_picture_spoilt_anywhere_is_drawn_or_refused_and_breaks_nothing() -> None:
    dice = random.Random(7)
    files = [photo(size=(120, 80), turned=3), written(scene(size=(120, 80)), "PNG"), written(scene(size=(120, 80)), "WEBP")]
    for content in files:
        for _ in range(150):
            spoilt = bytearray(content)
            for _ in range(dice.randrange(1, 12)):
                spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
            assert outcome(bytes(spoilt)) in {"drawn", "photo-unreadable", "photo-of-too-many-pixels"}


def test_the_same_scene_looks_alike_however_it_was_saved_and_another_does_not() -> None:
    one = pictures.drawn(photo(1)).likeness
    again = pictures.drawn(written(scene(1, (1800, 1200)).convert("L"), "WEBP", quality=40)).likeness
    other = pictures.drawn(photo(2)).likeness
    differing = [((one ^ each) % 2**64).bit_count() for each in (again, other)]
    assert (differing[0] <= 5, differing[1] > 15) == (True, True)
    assert all(-(2**63) <= each < 2**63 for each in (one, again, other))


def test_a_jpeg_of_a_thousand_scans_is_refused_before_it_is_decoded() -> None:
    written = io.BytesIO()
    Image.new("L", (3000, 3000), 128).save(written, "JPEG", progressive=True)
    content = written.getvalue()
    assert pictures.drawn(content).likeness == 0
    scan = content[content.rindex(b"\xff\xda") : -2]
    with pytest.raises(Invalid) as problem:
        pictures.drawn(content[:-2] + scan * 1000 + content[-2:])
    assert problem.value.code == "photo-unreadable"


@pytest.mark.parametrize(("kind", "more"), [("WEBP", {"lossless": True}), ("PNG", {}), ("JPEG", {"progressive": True})])
def test_what_cannot_be_decoded_in_part_may_have_16_million_pixels(kind: str, more: dict[str, Any]) -> None:
    written = io.BytesIO()
    Image.new("L", (7000, 7000), 255).save(written, kind, **more)
    with pytest.raises(Invalid) as problem:
        pictures.drawn(written.getvalue())
    assert (problem.value.code, problem.value.data) == ("photo-of-too-many-pixels", {"most": 16})
