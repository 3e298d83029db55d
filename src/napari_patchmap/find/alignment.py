"""Do two pictures show the same, but for turn, shift, brightness and noise? Pixels decide."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, max_pool2d

from napari_patchmap.find.spectra import TURNS, evened, from_middle, turned, window

#: Turns that are tried of each pair, plain and mirrored, and each half a turn further; those
#: of all that are looked at closely; steps of that.
_PEAKS, _CLOSELY, _STEPS = 2, 3, 4

#: Widths (standard deviations in pixels) of the details by which pictures are brought together,
#: and of those by which they are compared: without noise, and without what is smooth, in
#: which any two round cells are alike.
_FINDING, _COMPARING = (0.7, 3.0), (1.0, 3.0)

#: Correlation below which looking closely would not make two pictures the same.
_WORTH = 0.78

#: Share of the side by which a picture may be shifted.
_FARTHEST = 1 / 4

#: Pairs that are in memory at once.
_STEP = 1024


@dataclass(frozen=True, eq=False)
class Alignment:
    """How the second picture of each pair lies on the first; arrays of shape (b,).

    Parameters
    ----------
    score : ndarray of float32
        Correlation of the details where both have pixels, -1 to 1.
    mirrored : ndarray of bool
    angle : ndarray of float32
        Degrees, from -180 to 180.
    shift : ndarray of float32
        Pixels of the small pictures.
    """

    score: np.ndarray
    mirrored: np.ndarray
    angle: np.ndarray
    shift: np.ndarray


def align(
    first: np.ndarray,
    second: np.ndarray,
    first_spectra: np.ndarray,
    second_spectra: np.ndarray,
) -> Alignment:
    """Lay the second picture of each pair on the first as well as it can be done.

    Turns are found along the rings of the spectra, shifts by Fourier correlation of the
    details, and both are then improved together (forward additive steps of Gauss and Newton
    with brightness and contrast free, as in Evangelidis and Psarakis, "Parametric image
    alignment using enhanced correlation coefficient maximization", IEEE PAMI 30, 2008).

    Parameters
    ----------
    first, second : ndarray of uint8, shape (b, side, side)
    first_spectra, second_spectra : ndarray of complex64, shape (b, rings, harmonics)
        See :func:`napari_patchmap.find.spectra.spectra_of`.
    """
    on = _Canvas(first.shape[1])
    scores, places = [torch.empty(0)], [torch.empty(0, 4)]
    for start in range(0, len(first), _STEP):
        part = slice(start, start + _STEP)
        ours, theirs = evened(first[part]), evened(second[part])
        waves = [torch.from_numpy(one[part]) for one in (first_spectra, second_spectra)]
        score, place = on.best(ours, theirs, *turned(*waves))
        scores.append(score)
        places.append(place)
    place = torch.cat(places)
    angle = torch.rad2deg(place[:, 1]).add(180).remainder(360).sub(180)
    return Alignment(
        torch.cat(scores).numpy(),
        (place[:, 0] < 0).numpy(),
        angle.numpy(),
        place[:, 2:].norm(dim=1).numpy(),
    )


class _Canvas:
    """Pairs of pictures of one size, laid on each other.

    A place (b, 4) is 1 or -1 (mirrored from left to right), an angle in radians, and a shift
    down and right.
    """

    def __init__(self, side: int) -> None:
        self.side, away = side, from_middle(side)
        self.down, self.right = torch.meshgrid(away, away, indexing="ij")
        radius = torch.sqrt(self.down.square() + self.right.square()) / (side / 2)
        #: All but the corners, which a turned picture may have no pixels for.
        self.weights = ((1.15 - radius) / 0.15).clamp(0, 1)
        self.middle = window(side)
        self.finding = _difference_of_blurs(side, _FINDING)
        self.comparing = _difference_of_blurs(side, _COMPARING)

    def best(
        self, ours: Tensor, theirs: Tensor, plain: Tensor, mirrored: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the best score (b,) of pairs and its place, from how alike turns are."""
        tried = _tried(plain, mirrored)
        detail, other = (_filtered(one, self.finding) for one in (ours, theirs))
        best, likely = self._shifted(detail, other, tried)
        place = likely[:, 0].clone()
        worth = torch.nonzero(best >= _WORTH)[:, 0]
        best[worth] = -torch.inf
        ours, theirs = ours[worth], theirs[worth]
        for k in range(likely.shape[1]):
            closer = self._closer(ours, theirs, likely[worth, k])
            score = self._compared(ours, theirs, closer)
            better = score > best[worth]
            best[worth[better]] = score[better]
            place[worth[better]] = closer[better]
        return best, place

    def _shifted(self, ours: Tensor, theirs: Tensor, tried: Tensor) -> tuple[Tensor, Tensor]:
        """Find the shift of each turn that was tried.

        Returns the best correlation (b,), and the best places, (b, k, 4).
        """
        size, most = 2 * self.side, int(self.side * _FARTHEST)
        near = torch.arange(-most, most + 1) % size
        spectrum = torch.fft.rfft2(ours * self.weights, (size, size))
        length = (ours * self.weights).square().sum((1, 2))
        scores, places = [], []
        for k in range(tried.shape[1]):
            place = tried[:, k].clone()
            laid, inside = self.laid(theirs, place)
            laid = laid * self.weights * inside
            product = spectrum * torch.fft.rfft2(laid, (size, size)).conj()
            alike = torch.fft.irfft2(product, (size, size))[:, near][:, :, near]
            score, at = alike.reshape(len(ours), -1).max(dim=1)
            scores.append(score / (length * laid.square().sum((1, 2))).sqrt().clamp_min(1e-6))
            place[:, 2] = (at // len(near) - most).float()
            place[:, 3] = (at % len(near) - most).float()
            places.append(place)
        best = torch.stack(scores, 1).topk(_CLOSELY, dim=1)
        chosen = best.indices[..., None].expand(-1, -1, 4)
        return best.values[:, 0], torch.stack(places, 1).gather(1, chosen)

    def laid(self, theirs: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """Return pictures as they lie in a place, and where they have pixels."""
        down, right = self._moved_back(place)
        cos, sin = (f(place[:, 1])[:, None, None] for f in (torch.cos, torch.sin))
        y = cos * down - sin * right
        x = (sin * down + cos * right) * place[:, 0, None, None]
        reach = (self.side - 1) / 2
        grid = torch.stack([x, y], dim=-1) / reach
        laid = grid_sample(theirs[:, None], grid, padding_mode="border", align_corners=True)
        return laid[:, 0], (x.abs() <= reach + 0.01) & (y.abs() <= reach + 0.01)

    def _moved_back(self, place: Tensor) -> tuple[Tensor, Tensor]:
        return self.down - place[:, 2, None, None], self.right - place[:, 3, None, None]

    def _closer(self, ours: Tensor, theirs: Tensor, place: Tensor) -> Tensor:
        """Improve places; return the best that was passed on the way."""
        best, found = torch.full((len(ours),), -torch.inf), place
        for step in range(_STEPS + 1):
            laid, inside = self.laid(theirs, place)
            score = _correlation(ours, laid, self.weights * inside)
            better = score > best
            best = torch.where(better, score, best)
            found = torch.where(better[:, None], place, found)
            if step < _STEPS:
                place = self._stepped(ours, laid, inside, place)
        return found

    def _stepped(self, ours: Tensor, laid: Tensor, inside: Tensor, place: Tensor) -> Tensor:
        """Return where the differences would be least if pictures were linear in places."""
        by_down, by_right = torch.gradient(laid, dim=(1, 2))
        down, right = self._moved_back(place)
        by_angle = by_right * down - by_down * right
        ways = [laid, torch.ones_like(laid), by_angle, -by_down, -by_right]
        weights = (self.weights.sqrt() * inside).flatten(1)[..., None]
        jacobian = torch.stack(ways, dim=-1).flatten(1, 2) * weights
        wanted = ours.flatten(1)[..., None] * weights
        square = jacobian.transpose(1, 2) @ jacobian + torch.eye(5) * 1e-3
        solved = torch.linalg.solve(square, jacobian.transpose(1, 2) @ wanted)[..., 0]
        change = solved[:, 2:] / solved[:, :1].clamp_min(0.2)
        most = torch.tensor([0.2, 1.5, 1.5])
        change = change.clamp(-most, most)
        return torch.cat([place[:, :1], place[:, 1:] + change], dim=1)

    def _compared(self, ours: Tensor, theirs: Tensor, place: Tensor) -> Tensor:
        laid, inside = self.laid(theirs, place)
        # Not where a blur reaches beyond the pixels.
        edge = max_pool2d((~inside).float()[:, None], 3, 1, 1)[:, 0]
        ours, laid = (_filtered(one, self.comparing) for one in (ours, laid))
        return _correlation(ours, laid, self.weights * (1 - edge))


def _tried(plain: Tensor, mirrored: Tensor) -> Tensor:
    """Return the turns, as places (b, k, 4), at which spectra are most alike."""
    tried = []
    for alike, sign in ((plain, 1.0), (mirrored, -1.0)):
        peak = (alike >= alike.roll(1, 1)) & (alike >= alike.roll(-1, 1))
        at = torch.where(peak, alike, alike - 10).topk(_PEAKS, dim=1).indices
        for more in (0.0, math.pi):  # a spectrum looks the same half a turn further
            angle = at * (math.pi / TURNS) + more
            zero = torch.zeros_like(angle)
            tried.append(torch.stack([zero + sign, angle, zero, zero], dim=-1))
    return torch.cat(tried, dim=1)


def _correlation(a: Tensor, b: Tensor, weights: Tensor) -> Tensor:
    """Return the correlation (b,) of pictures (b, y, x) under weights."""
    total = weights.sum((1, 2), keepdim=True).clamp_min(1e-6)
    a = a - (a * weights).sum((1, 2), keepdim=True) / total
    b = b - (b * weights).sum((1, 2), keepdim=True) / total
    length = (a.square() * weights).sum((1, 2)) * (b.square() * weights).sum((1, 2))
    return (a * b * weights).sum((1, 2)) / length.sqrt().clamp_min(1e-6)


def _difference_of_blurs(side: int, widths: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Return the matrices of two Gaussian blurs along a side; the edge goes on."""
    fine, coarse = (_blur(side, width) for width in widths)
    return fine, coarse


def _blur(side: int, width: float) -> Tensor:
    reach = math.ceil(3 * width)
    away = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-away.square() / (2 * width**2))
    matrix = torch.zeros(side, side)
    for i in range(side):
        matrix[i].index_add_(0, (i + away).clamp(0, side - 1), kernel / kernel.sum())
    return matrix


def _filtered(pictures: Tensor, blurs: tuple[Tensor, Tensor]) -> Tensor:
    fine, coarse = blurs
    return fine @ pictures @ fine.T - coarse @ pictures @ coarse.T
