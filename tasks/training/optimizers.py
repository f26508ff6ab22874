"""Settings -> the Keras optimizer: schedule, clipping, averaged weights, and Adagrad for sparse tables."""

import math
from collections.abc import Callable, Sequence

import keras

from tasks.optimizer_options import OPTIMIZERS
from tasks.settings import TrainingSettings
from tasks.task_parts import LayerRate

# The schedules: progress after the warm-up, from 0 to 1 -> factor of the learning rate.
DECAYS = {
    "constant": lambda progress: 1.0,
    "linear": lambda progress: 1.0 - progress,
    # Half a cosine wave: Loshchilov and Hutter 2017.
    "cosine": lambda progress: 0.5 * (1.0 + keras.ops.cos(math.pi * progress)),
}


@keras.saving.register_keras_serializable("tasks")
class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly over `warmup_steps` to `peak`, then decays to zero at `total_steps`, or stays constant.

    Args:
        peak: The highest learning rate.
        total_steps: Steps of the whole training.
        warmup_steps: Steps of the linear rise.
        shape: A name in `DECAYS`.
        first_step: The step before which it is zero.
    """

    def __init__(
        self, peak: float, total_steps: int, warmup_steps: int = 0, shape: str = "constant", first_step: int = 0
    ):
        self.peak, self.total_steps, self.warmup_steps, self.shape = peak, total_steps, warmup_steps, shape
        self.first_step = first_step

    def __call__(self, step):
        """Return the learning rate of a step."""
        step = keras.ops.cast(step, "float32")
        warmup = keras.ops.minimum(1.0, (step + 1.0) / max(1, self.warmup_steps))
        progress = keras.ops.clip((step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps), 0.0, 1.0)
        rate = self.peak * warmup * DECAYS[self.shape](progress)
        return rate * keras.ops.cast(step >= self.first_step, "float32") if self.first_step else rate

    def get_config(self):
        """Return the arguments of the constructor."""
        return vars(self)


class GroupedOptimizer(keras.optimizers.Optimizer):
    """One optimizer for each group of variables: `keras.optimizers.MultiOptimizer`, which Keras has since 3.15.

    Args:
        optimizer_of: Returns the optimizer of a variable.
    """

    def __init__(self, optimizer_of: Callable[[keras.Variable], keras.optimizers.Optimizer]):
        super().__init__(learning_rate=0.0)
        self._optimizer_of, self.optimizers = optimizer_of, []

    def build(self, variables):
        """Build the optimizer of each group."""
        if self.built:
            return
        for optimizer, group, _ in self._groups(variables, variables):
            optimizer.build(group)
            self.optimizers.append(optimizer)
        super().build(variables)

    @property
    def variables(self):
        """The variables of all optimizers."""
        return [*super().variables, *(one for optimizer in self.optimizers for one in optimizer.variables)]

    def apply(self, grads, trainable_variables=None):
        """Apply the gradients of each group."""
        variables = self._trainable_variables if trainable_variables is None else trainable_variables
        self.build(variables)
        for optimizer, group, gradients in self._groups(variables, grads):
            optimizer.apply(gradients, group)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list):
        """Set the variables to their moving averages where an optimizer keeps them."""
        for optimizer, group, _ in self._groups(var_list, var_list):
            optimizer.finalize_variable_values(group)

    def _groups(self, variables, values) -> list[tuple]:
        """Return (optimizer, variables, values) for each group, in the order of their first variables."""
        groups = {}
        for variable, value in zip(variables, values, strict=True):
            optimizer = self._optimizer_of(variable)
            _, group, its_values = groups.setdefault(id(optimizer), (optimizer, [], []))
            group.append(variable)
            its_values.append(value)
        return list(groups.values())


MultiOptimizer = getattr(keras.optimizers, "MultiOptimizer", GroupedOptimizer)


def make_schedule(settings: TrainingSettings, peak: float, total_steps: int, first_step: int = 0) -> WarmupDecay:
    """Return the schedule that the settings describe, with the given peak, and zero before a step."""
    warmup_steps = min(settings.warmup_steps, total_steps // 5)
    return WarmupDecay(peak, total_steps, warmup_steps, settings.schedule, first_step)


def make_optimizer(
    settings: TrainingSettings,
    total_steps: int,
    *,
    variables: Sequence[keras.Variable] = (),
    sparse_learning_rates: Sequence[tuple[keras.layers.Layer, float]] = (),
    layer_rates: Sequence[LayerRate] = (),
    steps_per_epoch: int = 1,
) -> keras.optimizers.Optimizer:
    """Build the Keras optimizer of the settings, with its schedule, clipping and moving average of the weights.

    Args:
        settings: The settings.
        total_steps: Steps of the whole training.
        variables: The variables that will be trained; needed with `sparse_learning_rates` and `layer_rates`.
        sparse_learning_rates: Pairs of a layer and a learning rate. Adagrad (Duchi et al. 2011) trains the variables of
            such a layer: a row that is rarely used keeps a high rate, a row that is often used gets a low one, and a
            step costs only the rows that it uses. Clipping, weight decay and the moving average do not apply to them.
        layer_rates: Layers with lower learning rates than the others, which are zero before an epoch. The gradients of
            each of these groups are clipped by themselves.
        steps_per_epoch: Steps between two validations.

    Raises:
        ValueError: If such a layer has no variable that will be trained; its learning rate would be ignored.
    """
    optimizer = _optimizer(settings, make_schedule(settings, settings.learning_rate, total_steps))
    trained, optimizer_of = {id(variable) for variable in variables}, {}
    for layer, learning_rate in sparse_learning_rates:
        own = [id(variable) for variable in layer.trainable_variables if id(variable) in trained]
        if not own:
            raise ValueError(
                f"the learning rate of {learning_rate:g} for the layer {layer.name} matches no variable that is trained"
            )
        # The accumulator starts near zero: the first step of a row is then as long as its learning rate.
        adagrad = keras.optimizers.Adagrad(
            make_schedule(settings, learning_rate, total_steps), initial_accumulator_value=1e-8
        )
        optimizer_of |= dict.fromkeys(own, adagrad)
    for group in layer_rates:
        peak = settings.learning_rate * group.factor
        schedule = make_schedule(settings, peak, total_steps, group.first_epoch * steps_per_epoch)
        own = [id(variable) for layer in group.layers for variable in layer.trainable_variables]
        optimizer_of |= dict.fromkeys(own, _optimizer(settings, schedule))
    if not optimizer_of:
        return optimizer
    return MultiOptimizer(lambda variable: optimizer_of.get(id(variable), optimizer))


def _optimizer(settings: TrainingSettings, schedule: WarmupDecay) -> keras.optimizers.Optimizer:
    arguments = {
        "learning_rate": schedule,
        "clipnorm": settings.clipnorm,
        "global_clipnorm": settings.global_clipnorm,
        "clipvalue": settings.clipvalue,
        "use_ema": settings.ema_momentum > 0.0,
        "ema_momentum": settings.ema_momentum,
    }
    keras_class, options, _ = OPTIMIZERS[settings.optimizer]
    arguments |= {name: getattr(settings, name) for name in options}
    optimizer = getattr(keras.optimizers, keras_class)(**arguments)
    if settings.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
