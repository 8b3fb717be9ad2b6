"""gn_bwd_f32_o1_g8_c3_i1023_relu: the gradients of group normalisation by their definition, in float64."""

import numpy as np

from gngen.reference import grouped_backward


def gn_bwd_f32_o1_g8_c3_i1023_relu(dy, x, mean, rstd, gamma, beta, dx, dgamma, dbeta, channel_sums, off, batch):
    sizes = (batch, 1, 8, 3, 1023)

    def grouped(array):
        return flat(array).reshape(sizes).transpose(0, 2, 3, 1, 4).reshape(batch, 8, 3, 1023).astype(np.float64)

    with np.errstate(all="ignore"):
        gradients = grouped_backward(grouped(dy), grouped(x), gamma, beta, 0.001, 'relu')
    split = gradients[0].reshape(batch, 8, 3, 1, 1023)
    flat(dx).reshape(sizes)[...] = split.transpose(0, 3, 1, 2, 4)
    flat(dgamma)[...] = gradients[1].reshape(-1)
    flat(dbeta)[...] = gradients[2].reshape(-1)


def flat(array):
    """The elements of a dense array in memory order, without a copy."""
    return array.transpose(sorted(range(array.ndim), key=lambda a: -array.strides[a])).reshape(-1)
