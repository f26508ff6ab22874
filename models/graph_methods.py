"""Methods that run as a TensorFlow graph, and keep their object alive; and graphs that others call."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf


class graph_method:
    """Decorates a method as `tf.function` does. The function that it becomes keeps its object alive.

    A method that `tf.function` itself decorates has a weak reference to its object: a caller who keeps the function
    alone gets `AttributeError: 'NoneType' object has no attribute ...` at the first call.

    Args:
        input_signature: The `tf.TensorSpec` of each argument.

    Example:
        >>> class Doubling(tf.Module):
        ...     @graph_method(input_signature=[tf.TensorSpec([None])])
        ...     def double(self, values):
        ...         return 2 * values
        >>> double = Doubling().double
        >>> double(tf.constant([1.0, 2.0])).numpy().tolist()
        [2.0, 4.0]
    """

    def __init__(self, input_signature: Sequence[tf.TensorSpec]):
        self._input_signature = input_signature

    def __call__(self, method: Callable) -> "graph_method":
        """Take the method that is decorated."""
        self._method, self.__doc__ = method, method.__doc__
        return self

    def __get__(self, instance, owner=None):
        """Return the function of an object; it is made, and later traced, once for each object."""
        if instance is None:
            return self
        bound = self._method.__get__(instance)
        function = tf.function(bound, input_signature=self._input_signature, autograph=False)
        # Found there from now on, because this class has no `__set__`. Not with `setattr`: `tf.Module` would track it.
        instance.__dict__[self._method.__name__] = function
        return function


def built_once(method: Callable, *input_signature: tf.TypeSpec) -> Callable:
    """Return a function whose graph is built once, and called by the graphs of others, where it would be built in each.

    A SavedModel contains the graph only as a part of these: it does not export this function, as it would a
    `tf.function` that is an attribute of a module, for which it would build the graph again.

    Args:
        method: A bound method.
        *input_signature: The `tf.TensorSpec` of each argument.
    """
    function = tf.function(method, input_signature=input_signature, autograph=False)
    return lambda *arguments: function(*arguments)


def as_graph(model: keras.Model) -> Callable:
    """Return a function that calls a model as a graph, at inference.

    Called without a graph, a recurrent layer runs its timesteps one after the other in Python.

    Args:
        model: The model. The function takes its inputs as positional arguments.
    """

    @tf.function(input_signature=[tf.TensorSpec(one.shape, one.dtype) for one in model.inputs], autograph=False)
    def call(*inputs):
        return model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)

    return call
