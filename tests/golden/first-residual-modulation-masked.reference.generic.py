"""gn_f32_o1_g2_c3_i1001_residual_modulation_masked: group normalisation by its definition, in float64."""

import numpy as np

from gngen.reference import activate, add, moments


def gn_f32_o1_g2_c3_i1001_residual_modulation_masked(x, residual, mask, gamma, beta, own_scale, own_shift, y, summed, batch):
    sizes = (batch, 1, 2, 3, 1001)
    total = add(flat(x), flat(residual))
    grouped = total.reshape(sizes).transpose(0, 2, 3, 1, 4).reshape(batch, 2, 3, 1001).astype(np.float64)
    with np.errstate(all="ignore"):
        group_mean, group_rstd = moments(grouped, 0.001, mask.reshape(batch, -1) > 0)
        value = (grouped - group_mean[:, :, None, None]) * group_rstd[:, :, None, None]
        value *= gamma.astype(np.float64).reshape(1, 2, 3, 1)
        value += beta.astype(np.float64).reshape(1, 2, 3, 1)
        value *= 1 + own_scale.astype(np.float64).reshape(batch, 2, 3, 1)
        value += own_shift.astype(np.float64).reshape(batch, 2, 3, 1)
        value = activate(value, None)
    split = value.reshape(batch, 2, 3, 1, 1001)
    flat(y).reshape(sizes)[...] = split.transpose(0, 3, 1, 2, 4)
    flat(summed)[...] = total


def flat(array):
    """The elements of a dense array in memory order, without a copy."""
    return array.transpose(sorted(range(array.ndim), key=lambda a: -array.strides[a])).reshape(-1)
