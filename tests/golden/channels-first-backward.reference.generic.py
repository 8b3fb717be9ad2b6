"""gn_bwd_f32_o1_g8_c3_i1023_relu: the gradients of group normalisation by their definition, in float64."""

import numpy as np

from gngen.reference import flat, grouped_backward, grouped_of, put_grouped


def gn_bwd_f32_o1_g8_c3_i1023_relu(dy, x, mean, rstd, gamma, beta, dx, dgamma, dbeta, channel_sums, off, batch):
    sizes = (batch, 1, 8, 3, 1023)
    upstream, value = grouped_of(dy, sizes), grouped_of(x, sizes)
    with np.errstate(all="ignore"):
        gradients = grouped_backward(upstream, value, gamma, beta, 0.001, 'relu')
    put_grouped(dx, gradients[0], sizes)
    flat(dgamma)[...] = gradients[1].reshape(-1)
    flat(dbeta)[...] = gradients[2].reshape(-1)
