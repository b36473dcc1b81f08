"""fit, evaluate and predict compute what Keras computes: same batches, same order, same numbers."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet import Dataset, InputError, recipes
from glassnet._keras import keras, seeded
from glassnet.training import inference
from glassnet.training.checkpoints import Checkpoints
from glassnet.training.events import EpochEnded, Progress, TrainingStarted
from glassnet.training.trainer import HandedToKerasWarning

layers = keras.layers


def dense() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(16, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )


def convolutional() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, strides=2, use_bias=False),  # before BatchNormalization its gradient is only noise
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, kernel_regularizer="l2"),
        ]
    )


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.flat, self.out = layers.Flatten(), layers.Dense(10)

    def call(self, x: Any) -> Any:
        return self.out(self.flat(x) / 255)


def compiled(build: Callable[[], keras.Model], optimizer: Any = "adam", **options: Any) -> keras.Model:
    model = build()
    last = model.layers[-1] if model.layers else None
    logits = getattr(last, "activation", None) is not keras.activations.softmax
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    model.compile(optimizer, loss, metrics=["accuracy"], **options)
    return model


def both(make: Callable[[], keras.Model], *arrays: Any, **settings: Any) -> tuple[Any, Any, keras.Model, keras.Model]:
    """Train two equal models with equal seeds, one by glassnet, one by Keras."""
    with seeded(5):
        ours = make()
        our_history = glassnet.fit(ours, *arrays, **settings).history
    with seeded(5):
        theirs = make()
        their_history = theirs.fit(*arrays, verbose=0, **settings).history
    return our_history, their_history, ours, theirs


def assert_same(results: tuple[Any, Any, keras.Model, keras.Model], *, images_apart: int = 0) -> None:
    our_history, their_history, ours, theirs = results
    assert our_history.keys() == their_history.keys()
    for name, values in their_history.items():
        within = images_apart / 500 if "accuracy" in name else 1e-4 if images_apart else 1e-5
        np.testing.assert_allclose(our_history[name], values, rtol=0, atol=within + 1e-6, err_msg=name)
    for mine, yours in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, yours, rtol=0, atol=1e-5)


OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(),
    "adamw": lambda: keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(0.002, 100), weight_decay=0.01, clipnorm=1.0
    ),
    "muon": lambda: keras.optimizers.Muon(0.01),
    "ema": lambda: keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=20),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("build", [dense, convolutional, Subclassed])
def test_weights_and_history_are_keras_own(few: Dataset, build: Callable[[], keras.Model], optimizer: str) -> None:
    results = both(
        lambda: compiled(build, OPTIMIZERS[optimizer]()),
        few.train.images[:1000],
        few.train.labels[:1000],
        batch_size=48,  # leaves a smaller last batch
        # Batch normalisation multiplies rounding, so that after more steps only the curves would agree.
        epochs=1 if build is convolutional else 2,
        validation_data=(few.test.images, few.test.labels),
    )
    assert_same(results, images_apart=1 if build is convolutional else 0)


def test_two_inputs_two_outputs_and_weights(few: Dataset) -> None:
    def make() -> keras.Model:
        first, second = keras.Input((28, 28), name="first"), keras.Input((3,), name="second")
        joined = layers.Concatenate()([layers.Rescaling(1 / 255)(layers.Flatten()(first)), second])
        outputs = {"kind": layers.Dense(10, name="kind")(joined), "mean": layers.Dense(1, name="mean")(joined)}
        model = keras.Model({"first": first, "second": second}, outputs)
        model.compile(
            "adam",
            {"kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "mean": "mse"},
            metrics={"kind": ["accuracy"], "mean": ["mae"]},
        )
        return model

    n = 500
    x = {"first": few.train.images[:n], "second": np.linspace(0, 1, 3 * n).reshape(n, 3)}
    y = {"kind": few.train.labels[:n], "mean": few.train.images[:n].mean((1, 2)) / 255}
    assert_same(both(make, x, y, batch_size=64, epochs=2))


@pytest.mark.usefixtures("unchecked")  # the checker draws from Python's generator, too
@pytest.mark.parametrize("name", [name for name, one in recipes.RECIPES.items() if not one.filters])
def test_a_recipe_is_what_plain_keras_makes_with_its_seed(few: Dataset, name: str) -> None:
    recipe = recipes.find(name).changed(epochs=2, held_out=0)
    run = glassnet.train(recipe, few, seed=11)
    keras.utils.set_random_seed(11)
    model = recipe.build((28, 28), 10, examples=len(few.train))
    history = model.fit(few.train.images, few.train.labels, epochs=2, batch_size=recipe.batch_size, verbose=0).history
    assert run.passport.history["accuracy"] == pytest.approx(history["accuracy"], abs=1e-6)
    for mine, yours in zip(run.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, yours, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"shuffle": False},
        {"shuffle": "batch"},
        {"validation_split": 0.3},
        {"class_weight": {0: 5.0, 3: 0.1}},
        {"class_weight": {0: 5.0, 3: 0.1}, "validation_split": 0.3},
        {"sample_weight": np.linspace(0, 2, 300)},
        {"sample_weight": np.linspace(0, 2, 300), "validation_split": 0.3},
        {"initial_epoch": 1, "epochs": 3},
        {"epochs": 4, "validation_split": 0.2, "validation_freq": 2},
        {"epochs": 4, "validation_split": 0.2, "validation_freq": [1, 4]},
        {"batch_size": None},
        {"batch_size": 1000},
        {"steps_per_epoch": 2, "epochs": 3, "batch_size": 32},
        {"steps_per_epoch": 3, "batch_size": None},
        {"validation_split": 0.5, "validation_batch_size": 7},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_arguments_mean_what_they_mean_in_keras(few: Dataset, settings: dict[str, Any]) -> None:
    arguments = {"epochs": 2, "batch_size": 64} | settings
    assert_same(both(lambda: compiled(dense), few.train.images[:300], few.train.labels[:300], **arguments))


def test_training_goes_on_where_it_stopped(few: Dataset) -> None:
    x, y = few.train.images, few.train.labels

    def twice(fit: Callable[..., Any]) -> keras.Model:
        with seeded(3):
            model = compiled(dense)
            fit(model, x, y)
            fit(model, x, y)
        return model

    ours = twice(lambda model, *arrays: glassnet.fit(model, *arrays))
    theirs = twice(lambda model, *arrays: model.fit(*arrays, verbose=0))
    for mine, yours in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, yours, rtol=0, atol=1e-5)


def test_compiling_anew_takes_the_new_settings(few: Dataset) -> None:
    model = compiled(dense)
    glassnet.fit(model, few.train.images, few.train.labels)
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    glassnet.fit(model, few.train.images, few.train.labels)
    for mine, yours in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(mine, yours)


def test_frozen_layers_stay(few: Dataset) -> None:
    model = dense()
    model.layers[2].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    before = model.layers[2].kernel.numpy().copy()
    glassnet.fit(model, few.train.images, few.train.labels)
    assert np.array_equal(model.layers[2].kernel.numpy(), before)


def test_callbacks_work(few: Dataset, tmp_path: Any) -> None:
    rates: list[float] = []

    class Note(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            rates.append(float(self.model.optimizer.learning_rate))

    def settings(name: str) -> dict[str, Any]:
        return {
            "epochs": 6,
            "validation_data": (few.test.images, few.test.labels),
            "callbacks": [
                keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True),
                keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 3),
                keras.callbacks.ModelCheckpoint(tmp_path / f"{name}.keras", save_best_only=True),
                keras.callbacks.CSVLogger(tmp_path / f"{name}.csv"),
                keras.callbacks.TerminateOnNaN(),
                Note(),
            ],
        }

    with seeded(1):
        ours = compiled(dense)
        history = glassnet.fit(ours, few.train.images, few.train.labels, **settings("ours")).history
    with seeded(1):
        theirs = compiled(dense)
        expected = theirs.fit(few.train.images, few.train.labels, verbose=0, **settings("theirs")).history
    assert_same((history, expected, ours, theirs))
    assert rates[: len(rates) // 2] == rates[len(rates) // 2 :]
    assert (tmp_path / "ours.csv").read_text().count("\n") == (tmp_path / "theirs.csv").read_text().count("\n")
    assert (tmp_path / "ours.keras").exists()


def test_callbacks_that_change_the_rate_save_and_go_on(few: Dataset, tmp_path: Any) -> None:
    def callbacks(name: str, said: list[int]) -> list[keras.callbacks.Callback]:
        return [
            keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=10.0),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: said.append(epoch)),
            keras.callbacks.BackupAndRestore(tmp_path / name),
        ]

    def train(name: str) -> tuple[Any, list[int]]:
        said: list[int] = []

        class Stop(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                if epoch == 2 and len(said) == 3:
                    raise RuntimeError("the power failed")

        with seeded(4):
            model = compiled(dense)
            call = model.fit if name == "theirs" else lambda *arrays, **kw: glassnet.fit(model, *arrays, **kw)
            settings = {"epochs": 5, "verbose": 0, "shuffle": False}
            with pytest.raises(RuntimeError, match="power"):
                call(few.train.images, few.train.labels, callbacks=[*callbacks(name, said), Stop()], **settings)
            call(few.train.images, few.train.labels, callbacks=callbacks(name, said), **settings)
        return model, said

    ours, our_epochs = train("ours")
    theirs, their_epochs = train("theirs")
    assert our_epochs == their_epochs
    assert float(ours.optimizer.learning_rate) == pytest.approx(float(theirs.optimizer.learning_rate))
    for mine, yours in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, yours, rtol=0, atol=1e-5)


def test_chunk_hooks_are_called_less_often(few: Dataset) -> None:
    heard: list[int] = []

    class Hook(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            heard.append(batch)
            assert logs["loss"] > 0

    glassnet.fit(
        compiled(dense), few.train.images, few.train.labels, batch_size=8, callbacks=[Hook()], batch_hooks="chunk"
    )
    assert heard[-1] == 249
    assert len(heard) < 100


def test_augmentation_draws_what_it_draws_in_keras(few: Dataset) -> None:
    def augmented() -> keras.Model:
        return keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.RandomTranslation(0.1, 0.1, seed=3),
                layers.Flatten(),
                layers.Dropout(0.2),
                layers.Dense(10, "softmax"),
            ]
        )

    x = few.train.images[:500, :, :, None] / 255
    assert_same(both(lambda: compiled(augmented), x, few.train.labels[:500], epochs=2), images_apart=1)


@pytest.mark.parametrize("build", [dense, convolutional, Subclassed])
@pytest.mark.parametrize("weighted", [False, True])
def test_labels_are_smoothed_as_in_keras(
    few: Dataset, build: Callable[[], keras.Model], weighted: bool, unchecked: None
) -> None:
    x, y = few.train.images, few.train.labels
    weights = np.random.default_rng(0).uniform(0.5, 2, len(x)).astype(np.float32) if weighted else None
    with seeded(5):
        ours = compiled(build)
        our_history = glassnet.fit(ours, x, y, epochs=2, label_smoothing=0.2, sample_weight=weights).history
    with seeded(5):
        theirs = compiled(build)
        logits = theirs.loss.from_logits
        loss = keras.losses.CategoricalCrossentropy(from_logits=logits, label_smoothing=0.2)
        theirs.compile("adam", loss, metrics=["accuracy"])
        rows = keras.utils.to_categorical(y, 10)
        their_history = theirs.fit(x, rows, epochs=2, sample_weight=weights, verbose=0).history
    assert_same((our_history, their_history, ours, theirs))
    assert ours.loss.name == "sparse_categorical_crossentropy"
    plain = float(keras.losses.SparseCategoricalCrossentropy(from_logits=logits)(y, ours.predict(x, verbose=0)))
    measured = ours.evaluate(x, y, verbose=0, return_dict=True)["loss"] - sum(map(float, ours.losses))
    assert measured == pytest.approx(plain, rel=1e-4)  # what is measured is not smoothed


def test_labels_that_cannot_be_smoothed_are_refused(few: Dataset) -> None:
    x, y = few.train.images, few.train.labels
    with pytest.raises(InputError, match="label_smoothing is 1; it must be a share from 0 up to, not including, 1"):
        glassnet.fit(compiled(dense), x, y, label_smoothing=1)
    model = dense()
    model.compile("adam", "mse")
    with pytest.raises(InputError, match="label_smoothing is for the loss sparse_categorical_crossentropy"):
        glassnet.fit(model, x, y, label_smoothing=0.1)


def test_mixed_precision_trains_as_in_keras(few: Dataset) -> None:
    def mixed() -> keras.Model:
        model = compiled(dense)
        for layer in model.layers:
            layer.dtype_policy = "mixed_bfloat16"
        return model

    ours, theirs, *_ = both(mixed, few.train.images[:1000], few.train.labels[:1000], epochs=2)
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=0.02)


def test_batch_hooks_hear_every_batch_with_keras_logs(few: Dataset) -> None:
    heard: dict[str, list[Any]] = {"ours": [], "theirs": []}

    class Hooks(keras.callbacks.Callback):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            heard[self.name].append(("begin", batch))

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            heard[self.name].append((batch, {name: round(float(value), 5) for name, value in logs.items()}))
            if batch == 4:
                self.model.stop_training = True

        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            heard[self.name].append(("test", batch))

    for name in heard:
        with seeded(2):
            model = compiled(dense)
            fit = model.fit if name == "theirs" else lambda *arrays, **kw: glassnet.fit(model, *arrays, **kw)  # noqa: B023
            fit(
                few.train.images,
                few.train.labels,
                epochs=3,
                verbose=0,
                validation_data=(few.test.images[:70], few.test.labels[:70]),
                callbacks=[Hooks(name)],
            )
    assert heard["ours"] == heard["theirs"]
    assert len(heard["ours"]) == 5 * 2 + 3


def test_evaluate_and_predict_are_keras_own(few: Dataset) -> None:
    model = compiled(convolutional)
    x, y = few.test.images, few.test.labels
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    assert inference.evaluate(model, x, y) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(inference.predict(model, x), model.predict(x, verbose=0), rtol=0, atol=1e-5)


def test_many_pieces_give_what_one_gives(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    model = compiled(dense)
    x, y = few.test.images, few.test.labels
    whole = inference.evaluate(model, x, y), inference.predict(model, x)
    pieces = inference.Batches.pieces
    monkeypatch.setattr(inference.Batches, "pieces", lambda batches: pieces(batches, 784 * 100))
    assert inference.evaluate(model, x, y) == pytest.approx(whole[0], rel=1e-6)
    np.testing.assert_allclose(inference.predict(model, x), whole[1], rtol=0, atol=1e-6)


def test_events_tell_the_whole_story(few: Dataset) -> None:
    events: list[Any] = []
    model = compiled(dense)
    history = glassnet.fit(model, few.train.images, few.train.labels, epochs=2, on_event=events.append).history
    assert isinstance(events[0], TrainingStarted)
    assert events[0].steps == 63
    for epoch in range(2):
        progress = [event for event in events if isinstance(event, Progress) and event.epoch == epoch]
        assert [event.step for event in progress] == sorted({event.step for event in progress})
        assert progress[-1].step == progress[-1].steps == 63
        assert all(event.images_per_second > 0 for event in progress)
        assert progress[-1].logs["loss"] == pytest.approx(history["loss"][epoch])
    ended = [event for event in events if isinstance(event, EpochEnded)]
    assert [event.logs["accuracy"] for event in ended] == pytest.approx(history["accuracy"])
    assert all(event.complete for event in ended)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda m, x, y: glassnet.fit(m, x, y[:-1]), "one length.*x has 2000.*y has 1999"),
        (lambda m, x, y: glassnet.fit(m, x[:0], y[:0]), "no examples"),
        (lambda m, x, y: glassnet.fit(m, x, y, validation_split=1.0), "leaves 0 to train on"),
        (lambda m, x, y: glassnet.fit(m, x, y, class_weight={0: 1.0}, sample_weight=y), "exclude each other"),
        (lambda m, x, y: glassnet.fit(m, x, class_weight={0: 1.0}), "y is None; pass y"),
        (lambda m, x, y: glassnet.fit(m, x, y, batch_size=0), "batch size is 0"),
        (lambda m, x, y: glassnet.fit(dense(), x, y), "not compiled"),
        (lambda m, x, y: inference.evaluate(dense(), x, y), "not compiled"),
        (lambda m, x, y: glassnet.fit(m, 3, y), "single value 3"),
    ],
)
def test_arrays_that_cannot_work_are_refused(few: Dataset, call: Callable[..., Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        call(compiled(dense), few.train.images, few.train.labels)


def test_seed_is_local() -> None:
    np.random.seed(7)
    expected = np.random.random(3).tolist()
    np.random.seed(7)
    with seeded(1):
        first = np.random.random(3).tolist()
    assert np.random.random(3).tolist() == expected
    with seeded(1):
        assert np.random.random(3).tolist() == first


class Slowing(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that cannot be written down."""

    def __call__(self, step: Any) -> Any:
        return 0.01 / (1 + keras.ops.cast(step, "float32"))


class Registered(Slowing):
    """One that can be written, but not be read again."""

    def get_config(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize("rate", [Slowing(), Registered(), lambda: 0.01], ids=["unwritten", "unread", "function"])
def test_learning_rates_of_ones_own_are_trained_with_as_in_keras(few: Dataset, rate: Any) -> None:
    x, y = few.train.images[:300], few.train.labels[:300]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert_same(both(lambda: compiled(dense, keras.optimizers.Adam(rate)), x, y, epochs=2))


@pytest.mark.parametrize("kept", [["bias"], ["kernel"], []])
def test_what_is_excluded_from_weight_decay_does_not_decay(few: Dataset, kept: list[str]) -> None:
    def make() -> keras.Model:
        optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=kept)
        return compiled(
            lambda: keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)]), optimizer
        )

    assert_same(both(make, few.train.images[:300] / 255, few.train.labels[:300], epochs=3))


@pytest.mark.parametrize("settings", [{}, {"verbose": 1}, {"callbacks": True}, {"on_event": True}], ids="-".join)
def test_metrics_of_several_values_are_as_in_keras(few: Dataset, settings: dict[str, Any]) -> None:
    x, y = few.train.images[:300], keras.utils.to_categorical(few.train.labels[:300], 10)
    events: list[Any] = []
    heard: dict[str, list[Any]] = {"ours": [], "theirs": []}

    class Hook(keras.callbacks.Callback):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            heard[self.name].append(logs["f1_score"])

    def train(name: str) -> tuple[Any, keras.Model]:
        with seeded(5):
            model = dense()
            model.compile("adam", "categorical_crossentropy", metrics=[keras.metrics.F1Score(), "accuracy"])
            chosen: dict[str, Any] = {"verbose": settings.get("verbose", 0), "epochs": 2}
            chosen["callbacks"] = [Hook(name)] if "callbacks" in settings else []
            if name == "ours" and "on_event" in settings:
                chosen["on_event"] = events.append
            fit = model.fit if name == "theirs" else partial(glassnet.fit, model)
            return fit(x, y, validation_data=(x[:50], y[:50]), **chosen).history, model

    (ours, our_model), (theirs, their_model) = train("ours"), train("theirs")
    assert np.shape(ours["f1_score"]) == np.shape(ours["val_f1_score"]) == (2, 10)
    assert_same((ours, theirs, our_model, their_model))
    np.testing.assert_allclose(heard["ours"], heard["theirs"], atol=1e-5)
    expected = their_model.evaluate(x, y, verbose=0, return_dict=True)
    np.testing.assert_allclose(inference.evaluate(our_model, x, y)["f1_score"], expected["f1_score"], atol=1e-5)
    assert all(isinstance(one, float) for event in events[1:] for one in event.logs.values())


def test_metrics_of_several_values_are_kept_in_checkpoints(few: Dataset, tmp_path: Any) -> None:
    x, y = few.train.images[:300], keras.utils.to_categorical(few.train.labels[:300], 10)

    def train(epochs: int, checkpoints: Checkpoints | None) -> Any:
        with seeded(5):
            model = dense()
            model.compile("adam", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
            rng = np.random.RandomState(1)
            return glassnet.fit(model, x, y, epochs=epochs, checkpoints=checkpoints, rng=rng).history["f1_score"]

    train(2, Checkpoints(tmp_path))
    np.testing.assert_array_equal(train(3, Checkpoints(tmp_path)), train(3, None))


def test_who_stops_before_an_epoch_gets_one_batch_of_it_as_in_keras(few: Dataset) -> None:
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    x, y = few.train.images[:320], few.train.labels[:320]
    assert_same(both(lambda: compiled(dense), x, y, epochs=3, callbacks=[Stop()]))


def test_what_keras_trains_is_shuffled_whatever_its_inputs_are(few: Dataset) -> None:
    class OwnStep(keras.Model):
        def train_step(self, *arguments: Any) -> Any:
            return super().train_step(*arguments)

    def make() -> keras.Model:
        image, size = keras.Input((28, 28), name="image"), keras.Input((1,), name="size")
        both_inputs = layers.Concatenate()([layers.Flatten()(image), size])
        model = OwnStep({"image": image, "size": size}, layers.Dense(10)(both_inputs))
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    x = {"image": few.train.images[:320] / 255, "size": np.linspace(0, 1, 320)[:, None]}
    with pytest.warns(HandedToKerasWarning, match="train_step"):
        assert_same(both(make, x, few.train.labels[:320], batch_size=64))


def test_validation_data_that_keras_iterates_over_is_left_to_keras(few: Dataset) -> None:
    x, y = few.train.images[:64], few.train.labels[:64]

    class Pairs(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Any:
            return x, y

    with pytest.warns(HandedToKerasWarning, match=r"validation_data is a Pairs, not \(x, y\)"):
        history = glassnet.fit(compiled(dense), x, y, validation_data=Pairs()).history
    assert history["val_loss"][0] > 0


def test_a_callback_that_adds_to_one_of_keras_is_heard(few: Dataset, tmp_path: Any) -> None:
    heard: list[int] = []

    class Counting(keras.callbacks.ModelCheckpoint):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            heard.append(batch)

    x, y = few.train.images[:320], few.train.labels[:320]
    glassnet.fit(compiled(dense), x, y, batch_size=32, callbacks=[Counting(tmp_path / "last.keras")])
    assert heard == list(range(10))
