"""What a window is trained for: which outputs have targets, how long each sequence is, and the loss."""

import torch
from torch import nn


def read_out(case, logits, lengths):
    """The outputs that are compared with targets, a row for each target that counts, and which targets count."""
    inside = torch.arange(case.steps).unsqueeze(1) < lengths
    if case.readout is None:
        return logits[inside], inside.flatten()
    begun = lengths > 0
    if case.readout == "last":
        return logits[lengths - 1, torch.arange(case.batch)][begun], begun
    sums = (logits * inside.unsqueeze(2)).sum(dim=0)
    return (sums / lengths.clamp(min=1).unsqueeze(1))[begun], begun


def loss_of(case, logits, window):
    """The mean over all targets that count."""
    rows, counted = read_out(case, logits, window.lengths)
    wanted = window.wanted[counted]
    if case.loss == "cross_entropy":
        return nn.functional.cross_entropy(rows, wanted, reduction="mean")
    if case.loss == "squared_error":
        return (0.5 * (rows - wanted) ** 2).sum(dim=1).mean()
    beyond = (rows - wanted).abs() > case.delta
    assert beyond.any() and not beyond.all(), f"{case.name}: residuals on both sides of delta are wanted"
    return nn.functional.huber_loss(rows, wanted, reduction="none", delta=case.delta).sum(dim=1).mean()


def state_after(case, state, lengths):
    """Sequences that are over before the window is leave a state of zeros."""
    return state * (lengths == case.steps).unsqueeze(1)
