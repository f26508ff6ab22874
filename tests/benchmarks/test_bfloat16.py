"""A training step of an LSTM of 512 units in bfloat16: ours against Keras's, in float32 and in bfloat16."""

from tests.benchmarks.test_memory import ended_process

# A window of a language model, and a batch of long texts of a classifier: rows and timesteps.
BATCHES = ((50, 64), (33, 500), (16, 1000))
LAYERS = (
    ("keras.layers:LSTM", "float32"),
    ("keras.layers:LSTM", "mixed_bfloat16"),
    ("models.bfloat16_layers:LSTM", "mixed_bfloat16"),
)

# Prints the seconds of the fastest step, and the peak of the resident memory in bytes.
STEP = """
import sys, time
import tensorflow as tf
from models.recurrent import import_class
from tasks.comparison.worker import peak_memory

name, policy, rows, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
layer = import_class(name)(512, return_sequences=True, dtype=policy)
inputs = tf.cast(tf.random.normal((rows, steps, 256)), layer.compute_dtype)
mask = tf.sequence_mask(tf.random.uniform([rows], 3 * steps // 4, steps + 1, tf.int32), steps)
layer.build(inputs.shape)
sources = [inputs, *(variable.value for variable in layer.trainable_variables)]

@tf.function(autograph=False)
def step():
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = tf.cast(layer(inputs, mask=mask, training=True), tf.float32)
        loss = tf.reduce_sum(tf.square(outputs))
    return tape.gradient(loss, sources)

step()
fastest = float("inf")
for _ in range(3):
    began = time.monotonic()
    step()
    fastest = min(fastest, time.monotonic() - began)
print(fastest, peak_memory())
"""


def test_a_step_of_training(rounds, report):
    """Each measurement runs in a separate process; the layers are measured in turn."""
    for rows, steps in BATCHES:
        measured = {layer: [] for layer in LAYERS}
        for _ in range(rounds):
            for name, policy in LAYERS:
                seconds, peak = ended_process(STEP, [name, policy, rows, steps]).stdout.split()
                measured[name, policy].append((float(seconds), int(peak) / 1e6))
        report(f"\ntraining step of {rows} rows of {steps} timesteps")
        first = min(measured[LAYERS[0]])[0]
        for (name, policy), values in measured.items():
            seconds, peak = min(values)
            report(
                f"{name:>35}, {policy:<14}: {seconds:.2f} s, {rows * steps / seconds:6,.0f} timesteps per second, "
                f"{first / seconds:.2f} times float32; peak {peak:,.0f} MB"
            )
