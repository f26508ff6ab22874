"""Stores the vocabulary of a tokenizer once in an exported model.

TensorFlow stores the operation that makes a tokenizer twice: in the graph that a session loads, and in the function
that `tf.saved_model.load` calls. The vocabulary is an attribute of the operation, and the larger part of a small model.
"""

from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import function_pb2
from tensorflow.core.protobuf import saved_model_pb2

OPERATION = "SentencepieceOp"
# The names of the output of the operation, and of that of a call of a function.
OUTPUT, CALL_OUTPUT = "handle", "output"


def share(folder: Path) -> None:
    """Move each operation that makes a tokenizer into a function, which all that need it call.

    Args:
        folder: A SavedModel.
    """
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in (meta_graph.graph_def for meta_graph in saved.meta_graphs):
        functions = {}
        _call(graph.node, functions)
        for function in graph.library.function:
            changed = _call(function.node_def, functions)
            outputs = {f"{name}:{OUTPUT}:0": f"{name}:{CALL_OUTPUT}:0" for name in changed}
            for node in function.node_def:
                node.input[:] = [outputs.get(name, name) for name in node.input]
            for name, value in function.ret.items():
                function.ret[name] = outputs.get(value, value)
        graph.library.function.extend(functions.values())
    path.write_bytes(saved.SerializeToString(deterministic=True))


def _call(nodes: Iterable, functions: dict[bytes, function_pb2.FunctionDef]) -> set[str]:
    """Replace the operations among nodes by calls of functions, which are added; return the names of these nodes."""
    changed = set()
    for node in nodes:
        if node.op != OPERATION:
            continue
        key = node.attr["model"].s
        if key not in functions:
            functions[key] = _function(f"__tokenizer_{len(functions)}", node)
        name = functions[key].signature.name
        for attribute in [*node.attr]:
            if not attribute.startswith("_"):
                del node.attr[attribute]
        node.op = "StatefulPartitionedCall"
        node.attr["f"].func.name = name
        node.attr["Tin"].list.SetInParent()
        node.attr["Tout"].list.type.append(tf.resource.as_datatype_enum)
        changed.add(node.name)
    return changed


def _function(name: str, node) -> function_pb2.FunctionDef:
    """Return a function without arguments that returns the output of an operation."""
    function = function_pb2.FunctionDef()
    function.signature.name, function.signature.is_stateful = name, True
    function.signature.output_arg.add(name=OUTPUT, type=tf.resource.as_datatype_enum)
    function.node_def.add().CopyFrom(node)
    function.ret[OUTPUT] = f"{node.name}:{OUTPUT}:0"
    return function
