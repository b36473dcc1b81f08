"""The fast convolutions and poolings compute what Keras's own layers compute."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassnet._keras import keras
from glassnet.training.compiler import compiler_options
from glassnet.training.fast_layers import fast_forms

layers = keras.layers


def network(*parts, image=(9, 8, 4)):
    model = keras.Sequential([keras.Input(image), *parts])
    generator = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(generator.normal(size=variable.shape).astype("float32"))
    return model


def outputs_and_gradients(model, images, fast):
    weights = [variable.value for variable in model.trainable_variables]
    state = [variable.value for variable in model.non_trainable_variables]

    def loss(weights, images):
        outputs, _ = model.stateless_call(weights, state, images, training=True)
        # Uneven factors, so that swapped positions do not go unnoticed.
        factors = jnp.cos(jnp.arange(outputs.size)).reshape(outputs.shape)
        return jnp.sum(outputs * factors), outputs

    function = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))
    if fast:
        with fast_forms(model):
            (_, outputs), gradients = function(weights, images)
    else:
        (_, outputs), gradients = function(weights, images)
    return outputs, gradients


def check(*parts, image=(9, 8, 4), tolerance=1e-5, images=None):
    model = network(*parts, image=image)
    if images is None:
        images = np.random.default_rng(1).normal(size=(6, *image)).astype("float32")
    plain = jax.tree.leaves(outputs_and_gradients(model, images, False))
    fast = jax.tree.leaves(outputs_and_gradients(model, images, True))
    assert len(plain) == len(fast)
    for expected, found in zip(plain, fast, strict=True):
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        wanted, got = np.asarray(expected, "float32"), np.asarray(found, "float32")
        scale = max(np.abs(wanted).max(), 1e-3)
        np.testing.assert_allclose(got / scale, wanted / scale, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("size", "strides", "dilation", "padding", "channels"),
    [
        (1, 1, 1, "valid", 4),
        (1, 2, 1, "same", 8),
        (2, 1, 1, "same", 8),
        (3, 1, 1, "valid", 1),
        (3, 1, 1, "valid", 8),
        (3, 1, 1, "same", 8),
        (3, 2, 1, "same", 8),
        (3, 2, 1, "valid", 1),
        (3, (1, 3), 1, "same", 8),
        (3, 1, 2, "same", 3),
        ((1, 3), 1, (1, 2), "valid", 8),
        ((4, 2), (2, 1), 1, "same", 8),
        (5, 1, 1, "same", 4),
        (8, 1, 1, "valid", 2),
    ],
)
def test_conv(size, strides, dilation, padding, channels):
    layer = layers.Conv2D(8, size, strides, padding, dilation_rate=dilation, activation="gelu")
    check(layer, image=(9, 8, channels))


@pytest.mark.parametrize(("groups", "strides"), [(2, 1), (2, 2), (4, 2)])
def test_conv_in_groups_without_bias(groups, strides):
    check(layers.Conv2D(8, 3, strides, "same", groups=groups, use_bias=False))


def test_conv_in_many_groups():
    check(layers.Conv2D(16, 3, groups=8), image=(9, 8, 16))


@pytest.mark.parametrize(
    ("kind", "padding", "strides", "dilation", "multiplier"),
    [
        ("depthwise", "valid", 1, 1, 1),
        ("depthwise", "same", 2, 1, 2),
        ("separable", "same", 1, 2, 1),
        ("separable", "valid", 2, 1, 3),
    ],
)
def test_depthwise(kind, padding, strides, dilation, multiplier):
    choices = {
        "padding": padding,
        "depth_multiplier": multiplier,
        "dilation_rate": dilation,
        "activation": "tanh",
    }
    if kind == "depthwise":
        check(layers.DepthwiseConv2D(3, strides, **choices))
    else:
        check(layers.SeparableConv2D(5, 3, strides, **choices))


@pytest.mark.parametrize(
    ("size", "strides", "padding"),
    [
        (2, None, "valid"),
        (2, None, "same"),
        ((1, 3), None, "same"),
        (3, 2, "same"),
        (3, 1, "valid"),
        (2, 3, "valid"),
    ],
)
@pytest.mark.parametrize("kind", [layers.MaxPooling2D, layers.AveragePooling2D])
def test_pooling(kind, size, strides, padding):
    check(kind(size, strides, padding))


@pytest.mark.parametrize(("size", "strides", "padding"), [(2, None, "valid"), (3, None, "same"), (3, 2, "same")])
def test_max_pooling_sends_the_gradient_of_a_tie_to_the_first(size, strides, padding):
    images = np.random.default_rng(2).integers(-1, 2, (6, 9, 8, 4)).astype("float32")
    check(layers.MaxPooling2D(size, strides, padding), images=images, tolerance=1e-6)


@pytest.mark.parametrize(
    ("channels", "activation", "strides", "padding", "dilation", "pool"),
    [
        (1, "relu", 1, "valid", 1, 2),
        (1, "relu", 2, "same", 1, 2),
        (2, None, 1, "same", 2, 2),
        (3, "relu", 1, "same", 1, (3, 2)),
        (8, "relu", 1, "valid", 1, 2),
        (8, "relu", 2, "same", 1, 2),
        (8, "sigmoid", 1, "same", 1, 2),
        (8, None, 1, "same", 2, (3, 2)),
    ],
)
def test_conv_followed_by_pooling(channels, activation, strides, padding, dilation, pool):
    conv = layers.Conv2D(6, 3, strides, padding, dilation_rate=dilation, activation=activation)
    check(conv, layers.MaxPooling2D(pool), image=(15, 14, channels))


def test_conv_used_by_pooling_and_another_layer():
    inputs = keras.Input((9, 8, 4))
    features = layers.Conv2D(8, 3, activation="relu")(inputs)
    pooled = layers.Flatten()(layers.MaxPooling2D(2)(features))
    outputs = layers.Concatenate()([pooled, layers.Flatten()(features)])
    check(keras.Model(inputs, outputs))


def test_nested_model():
    block = keras.Sequential([layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2)])
    check(block, layers.BatchNormalization(), layers.Conv2D(3, 2))


def test_mixed_precision():
    convolutions = [layers.Conv2D(8, 3, activation="relu", dtype="mixed_bfloat16"), layers.MaxPooling2D(2)]
    check(*convolutions, layers.DepthwiseConv2D(2, dtype="mixed_bfloat16"), tolerance=2e-2)


def test_under_vmap():
    model = network(layers.Conv2D(5, 3, activation="relu"), layers.MaxPooling2D(2))
    images = np.random.default_rng(3).normal(size=(3, 2, 9, 8, 4)).astype("float32")
    expected = np.stack([model(part) for part in images])
    with fast_forms(model):
        found = jax.vmap(model)(images)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_layers_are_as_before_afterwards_also_after_an_error():
    model = network(layers.Conv2D(5, 3), layers.MaxPooling2D(2), layers.DepthwiseConv2D(2))
    before = [dict(layer.__dict__) for layer in model.layers]
    with pytest.raises(RuntimeError, match="stop"), fast_forms(model):
        assert any("call" in layer.__dict__ for layer in model.layers)
        raise RuntimeError("stop")
    assert [dict(layer.__dict__) for layer in model.layers] == before


def test_layers_it_does_not_know_are_left_alone():
    class Own(layers.Conv2D):
        def call(self, inputs):
            return 2 * super().call(inputs)

    class Weighted(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, 2 * kernel)

    first = layers.MaxPooling2D(2, data_format="channels_first")
    model = network(first, Own(5, 2), Weighted(4, 2), image=(9, 8, 8))
    with fast_forms(model):
        assert not any("call" in layer.__dict__ for layer in model.layers)


def test_other_backends_are_left_alone(monkeypatch):
    model = network(layers.Conv2D(5, 3))
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with fast_forms(model):
        assert "call" not in model.layers[0].__dict__


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's, on saving
def test_saved_model_is_a_plain_one(tmp_path):
    model = network(layers.Conv2D(5, 3, activation="relu"), layers.MaxPooling2D(2))
    config = model.get_config()
    images = np.random.default_rng(4).normal(size=(2, 9, 8, 4)).astype("float32")
    expected = model.predict_on_batch(images)
    with fast_forms(model):
        assert model.get_config() == config
        model.save(tmp_path / "inside.keras")
    model.save(tmp_path / "after.keras")
    for name in ("inside", "after"):
        loaded = keras.models.load_model(tmp_path / f"{name}.keras")
        np.testing.assert_array_equal(loaded.predict_on_batch(images), expected)


def test_pooled_convolution_is_not_computed_twice():
    model = network(layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2), image=(9, 9, 8))
    with fast_forms(model):
        compiled = jax.jit(model).lower(jnp.zeros((2, 9, 9, 8))).compile()
    assert compiled.as_text().count(" convolution(") == 1


def trained_weights(fast):
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.AveragePooling2D(2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(4),
        ]
    )
    # Plain descent: Adam divides by gradients that are zero but for rounding.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss)
    generator = np.random.default_rng(6)
    images = generator.normal(size=(5, 16, 12, 12, 1)).astype("float32")
    labels = generator.integers(0, 4, (5, 16))
    model._symbolic_build(data_batch=(images[0], labels[0], None))
    state = model._get_jax_state(
        trainable_variables=True,
        non_trainable_variables=True,
        optimizer_variables=True,
        metrics_variables=True,
        purge_model_variables=False,
    )

    def run(state, images, labels):
        def step(state, batch):
            return model.train_step(state, (*batch, None))[1], None

        return jax.lax.scan(step, state, (images, labels))[0]

    if fast:
        with fast_forms(model):
            state = jax.jit(run, compiler_options=compiler_options(model))(state, images, labels)
    else:
        state = jax.jit(run)(state, images, labels)
    return [np.asarray(value) for value in (*state[0], *state[1]) if value.dtype == np.float32]


def test_training_gives_the_same_weights():
    for expected, found in zip(trained_weights(False), trained_weights(True), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
