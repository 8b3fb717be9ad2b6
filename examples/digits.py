"""Train a small convolutional network on scikit-learn's handwritten digits, with gngen's layers and numpy alone.

Two convolutions, each followed by a group normalisation with silu, and a dense layer on top. The gammas are regularized (L2) and kept
from becoming negative (NonNeg), the betas regularized (L1) and bounded (MaxNorm): after each update `apply_constraints` sees to that.
The gradient of everything is checked against finite differences before training.

Run it as `python examples/digits.py`; it needs scikit-learn for its data, and takes a few seconds.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from gngen import GroupNormalization
from gngen.constraints import MaxNorm
from gngen.regularizers import L1, L2

BATCH, RATE, MOMENTUM, SEED, TEST_IMAGES = 64, 0.05, 0.9, 0, 360


class Dense:
    """``x @ weight + bias``, x of shape (..., inputs)."""

    def __init__(self, inputs: int, units: int, rng: np.random.Generator, dtype: str) -> None:
        self.weight = (rng.normal(size=(inputs, units)) * np.sqrt(2 / inputs)).astype(dtype)
        self.bias = np.zeros(units, dtype)

    @property
    def trainable_weights(self) -> list[np.ndarray]:
        return [self.weight, self.bias]

    def __call__(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        if training:
            self.x = x
        return x @ self.weight + self.bias

    def backward(self, dy: np.ndarray) -> np.ndarray:
        rows, upstream = self.x.reshape(-1, self.x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        self.gradients = [rows.T @ upstream, upstream.sum(0)]
        return dy @ self.weight.T


class Conv(Dense):
    """A 3x3 convolution of (N, height, width, channels), zeros around it: a dense layer over patches."""

    def __init__(self, inputs: int, units: int, stride: int, rng: np.random.Generator, dtype: str) -> None:
        super().__init__(9 * inputs, units, rng, dtype)
        self.stride = stride

    def __call__(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        self.shape = x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        return super().__call__(np.concatenate([padded[:, *window] for window in self.windows()], -1), training)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        batch, height, width, channels = self.shape
        padded = np.zeros((batch, height + 2, width + 2, channels), dy.dtype)
        for window, part in zip(self.windows(), np.split(super().backward(dy), 9, -1), strict=True):
            padded[:, *window] += part
        return padded[:, 1:-1, 1:-1]

    def windows(self) -> list[tuple[slice, slice]]:
        """Where in the padded image the nine elements of every patch are."""
        _, height, width, _ = self.shape
        return [(slice(i, i + height, self.stride), slice(j, j + width, self.stride)) for i in range(3) for j in range(3)]


class Flatten:
    """(N, height, width, channels) as (N, elements)."""

    trainable_weights: tuple[np.ndarray, ...] = ()
    gradients: tuple[np.ndarray, ...] = ()

    def __call__(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy.reshape(self.shape)


def make_norm(groups: int, dtype: str) -> GroupNormalization:
    return GroupNormalization(
        groups,
        activation="silu",
        gamma_regularizer=L2(1e-4),
        gamma_constraint="non_neg",
        beta_regularizer=L1(1e-4),
        beta_constraint=MaxNorm(2.0),
        dtype=dtype,
    )


class Network:
    """Images (N, 8, 8, 1) to ten scores each."""

    def __init__(self, seed: int = SEED, dtype: str = "float32") -> None:
        rng = np.random.default_rng(seed)
        self.norms = [make_norm(4, dtype), make_norm(8, dtype)]
        self.layers = [
            Conv(1, 16, 1, rng, dtype),
            self.norms[0],
            Conv(16, 32, 2, rng, dtype),
            self.norms[1],
            Flatten(),
            Dense(4 * 4 * 32, 10, rng, dtype),
        ]
        self.velocities: list[np.ndarray] = []

    @property
    def weights(self) -> list[np.ndarray]:
        return [weight for layer in self.layers for weight in layer.trainable_weights]

    @property
    def gradients(self) -> list[np.ndarray]:
        return [gradient for layer in self.layers for gradient in layer.gradients]

    def __call__(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        for layer in self.layers:
            x = layer(x, training=training)
        return x

    def loss(self, x: np.ndarray, labels: np.ndarray, training: bool = False) -> float:
        """Cross-entropy and penalties; in training, the gradient of it is in `gradients` then."""
        scores = self(x, training)
        shifted = scores - scores.max(-1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        if training:
            self.backward((np.exp(logs) - np.eye(10, dtype=logs.dtype)[labels]) / len(x))
        return float(-logs[np.arange(len(x)), labels].mean()) + sum(sum(norm.losses) for norm in self.norms)

    def backward(self, dy: np.ndarray) -> None:
        for layer in reversed(self.layers):
            dy = layer.backward(dy)

    def update(self) -> None:
        """One step of gradient descent with momentum, and what the constraints make of it."""
        self.velocities = self.velocities or [np.zeros_like(weight) for weight in self.weights]
        for weight, gradient, velocity in zip(self.weights, self.gradients, self.velocities, strict=True):
            velocity *= MOMENTUM
            velocity -= RATE * gradient
            weight += velocity
        for norm in self.norms:
            norm.apply_constraints()


def check_gradient(x: np.ndarray, labels: np.ndarray, step: float = 1e-5) -> float:
    """The largest error of the gradient along a random direction in any one weight, relative to it; against central differences."""
    network, rng = Network(dtype="float64"), np.random.default_rng(1)
    x = x.astype("float64")
    network(x)  # makes the weights of the norms
    for norm in network.norms:  # away from 0, where L1 has a kink
        norm.beta = rng.uniform(0.5, 1.0, norm.beta.shape)
    network.loss(x, labels, training=True)
    errors = []
    for weight, gradient in zip(network.weights, network.gradients, strict=True):
        before, direction = weight.copy(), rng.normal(size=weight.shape)
        losses = []
        for sign in (1, -1):
            weight[...] = before + sign * step * direction
            losses.append(network.loss(x, labels))
        weight[...] = before
        found = float((gradient * direction).sum())
        errors.append(abs((losses[0] - losses[1]) / (2 * step) - found) / max(abs(found), 1e-3))
    return max(errors)


def train(network: Network, x: np.ndarray, labels: np.ndarray, epochs: int) -> list[float]:
    """The mean loss of each epoch."""
    rng, history = np.random.default_rng(SEED), []
    for epoch in range(epochs):
        batches = rng.permutation(len(x))[: len(x) // BATCH * BATCH].reshape(-1, BATCH)
        losses = []
        for batch in batches:
            losses.append(network.loss(x[batch], labels[batch], training=True))
            network.update()
        history.append(float(np.mean(losses)))
        print(f"epoch {epoch + 1:2}: loss {history[-1]:.4f}")
    return history


def main(epochs: int = 8) -> float:
    """Train, and answer the share of the test images that are recognized."""
    images, labels = load_digits(return_X_y=True)
    x = (images.reshape(-1, 8, 8, 1) / 16).astype("float32")
    order = np.random.default_rng(SEED).permutation(len(x))
    test, rest = order[:TEST_IMAGES], order[TEST_IMAGES:]
    print(f"gradient against finite differences: largest relative error {check_gradient(x[rest[:8]], labels[rest[:8]]):.1e}")
    network = Network()
    train(network, x[rest], labels[rest], epochs)
    accuracy = float((network(x[test]).argmax(-1) == labels[test]).mean())
    print(f"test accuracy: {100 * accuracy:.1f} % of {len(test)} images")
    return accuracy


if __name__ == "__main__":
    main()
