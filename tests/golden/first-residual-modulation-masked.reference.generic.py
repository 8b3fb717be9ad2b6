"""gn_f32_o1_g2_c3_i1001_residual_modulation_masked: group normalisation by its definition, in float64."""

import numpy as np

from gngen.reference import activate, add, flat, grouped_of, moments, put_grouped


def gn_f32_o1_g2_c3_i1001_residual_modulation_masked(x, residual, mask, gamma, beta, own_scale, own_shift, y, summed, batch):
    sizes = (batch, 1, 2, 3, 1001)
    total = add(flat(x), flat(residual))
    grouped = grouped_of(total, sizes)
    with np.errstate(all="ignore"):
        group_mean, group_rstd = moments(grouped, 0.001, mask.reshape(batch, -1) > 0)
        value = (grouped - group_mean[:, :, None, None]) * group_rstd[:, :, None, None]
        value *= gamma.astype(np.float64).reshape(1, 2, 3, 1)
        value += beta.astype(np.float64).reshape(1, 2, 3, 1)
        value *= 1 + own_scale.astype(np.float64).reshape(batch, 2, 3, 1)
        value += own_shift.astype(np.float64).reshape(batch, 2, 3, 1)
        value = activate(value, None)
    put_grouped(y, value, sizes)
    flat(summed)[...] = total
