"""Settings -> the Keras optimizer: schedule, clipping, averaged weights, and Adagrad for sparse tables."""

import math

import keras

from tasks.settings import TrainingSettings


@keras.saving.register_keras_serializable("tasks")
class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly over `warmup_steps` to `peak`, then falls to zero at `total_steps`, or stays.

    Args:
      shape: "constant", "linear" or "cosine" (half a cosine wave, Loshchilov and Hutter 2017).
    """

    def __init__(self, peak: float, total_steps: int, warmup_steps: int = 0, shape: str = "constant"):
        self.peak, self.total_steps, self.warmup_steps, self.shape = peak, total_steps, warmup_steps, shape

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        rising = keras.ops.minimum(1.0, (step + 1.0) / max(1, self.warmup_steps))
        done = keras.ops.clip((step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps), 0.0, 1.0)
        falling = {
            "constant": lambda: 1.0,
            "linear": lambda: 1.0 - done,
            "cosine": lambda: 0.5 * (1.0 + keras.ops.cos(math.pi * done)),
        }[self.shape]()
        return self.peak * rising * falling

    def get_config(self):
        return vars(self)


def schedule(settings: TrainingSettings, peak: float, total_steps: int) -> WarmupDecay:
    """The learning rate that the settings describe, with another height."""
    return WarmupDecay(peak, total_steps, min(settings.warmup_steps, total_steps // 5), settings.schedule)


def make_optimizer(
    settings: TrainingSettings, total_steps: int, sparse_rates: dict[str, float] | None = None
) -> keras.optimizers.Optimizer:
    """The Keras optimizer of the settings, with its schedule, clipping and running average of the weights.

    Args:
      sparse_rates: variable path, as a regular expression -> learning rate. These variables are trained by Adagrad
        (Duchi et al. 2011): a row that is rarely used keeps a high rate and one in daily use a low one, and a step
        costs only the rows that it touches. Clipping, weight decay and the running average leave them alone.
    """

    arguments = {
        "learning_rate": schedule(settings, settings.learning_rate, total_steps),
        "clipnorm": settings.clipnorm,
        "global_clipnorm": settings.global_clipnorm,
        "clipvalue": settings.clipvalue,
        "use_ema": settings.average_weights > 0.0,
        "ema_momentum": settings.average_weights,
    }
    if settings.optimizer in ("adamw", "sgd"):
        arguments["weight_decay"] = settings.weight_decay
    if settings.optimizer in ("adam", "adamw"):
        arguments["beta_2"] = settings.beta_2
    if settings.optimizer in ("sgd", "rmsprop"):
        arguments["momentum"] = settings.momentum
    classes = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
    }
    optimizer = classes[settings.optimizer](**arguments)
    if settings.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    if not sparse_rates:
        return optimizer
    # The accumulator begins near zero: the first step of a row is then as long as its learning rate.
    sparse = {
        path: keras.optimizers.Adagrad(schedule(settings, rate, total_steps), initial_accumulator_value=1e-8)
        for path, rate in sparse_rates.items()
    }
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(optimizer, sparse))
