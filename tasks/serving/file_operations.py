"""Finds operations in the graph of a SavedModel that read or write files, use the network or run Python.

Loading a SavedModel runs parts of its graph, and asking it runs the rest. A graph can read and write any file that the
process can. The exports of this project have no such operations outside the functions that store and restore weights.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tasks.data.stored_files import reading
from tasks.errors import UserError

# Operations by name. Data sets and readers are part of no model, and some of them read files.
_FILE_OPERATION = re.compile(
    r"ReadFile|WriteFile|MatchingFiles|RecordInput|DumpTensor|FileSystemSetConfiguration"
    r"|InitializeTableFromTextFile(V2)?|GenerateVocabRemapping|LoadAndRemapMatrix|CheckpointHasher.*"
    r"|(DTensor)?Save(V2|Slices)?|(DTensor)?Restore(V2|Slice)?|MergeV2Checkpoints|ShardedFile(name|spec)"
    r"|DistributedSave|CalibrationStatisticsSaver"
    r"|.*(Dataset|Iterator|Reader|SummaryWriter|SummaryFileWriter|SummaryDbWriter).*|Reader.*"
    r"|Write.*Summary|WriteSummary|ImportEvent|Debug.*|.*PyFunc.*|Rpc.*|.*(Sql|LMDB|BigQuery|Bigtable|Gcs).*"
)
# What stores and restores weights; allowed in the functions of the saver alone.
_SAVER_OPERATIONS = {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"}


def check(folder: Path) -> None:
    """Check that the graph of a SavedModel has no operation on files but those of its saver.

    Args:
        folder: The SavedModel.

    Raises:
        UserError: If it has one; names the operation.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / "saved_model.pb"
    with reading(path, "export the run again"):
        graphs = saved_model_pb2.SavedModel.FromString(path.read_bytes()).meta_graphs
    found = sorted({operation for graph in graphs for operation in file_operations(graph)})
    if found:
        raise UserError(
            f"{folder} is not loaded: its graph has operations on files or programs ({', '.join(found[:5])}).\n"
            "If you know where the model comes from, and trust its author as the author of a program, give --trust"
        )


def file_operations(graph) -> Iterator[str]:
    """Yield the operations of a `MetaGraphDef` on files, but those that its saver needs."""
    functions = {one.signature.name: one.node_def for one in graph.graph_def.library.function}
    saver = {graph.saver_def.save_tensor_name.partition(":")[0], graph.saver_def.restore_op_name} - {""}
    of_saver = [node for node in graph.graph_def.node if node.name in saver]
    others = [node for node in graph.graph_def.node if node.name not in saver]
    # What a loaded object can call, signatures among it.
    callable_ = {*graph.object_graph_def.concrete_functions} & {*functions}
    called = _called(others, functions)
    called |= callable_ | _called(itertools.chain.from_iterable(functions[name] for name in callable_), functions)
    saving = _called(of_saver, functions) - called
    for name, nodes in [("", graph.graph_def.node), *functions.items()]:
        for node in nodes:
            if _is_file_operation(node) and not (name in saving and node.op in _SAVER_OPERATIONS):
                yield node.op


def _is_file_operation(node) -> bool:
    if node.op == "PrintV2":
        return node.attr["output_stream"].s.startswith(b"file:")
    return _FILE_OPERATION.fullmatch(node.op) is not None


def _called(nodes: Iterable, functions: Mapping) -> set[str]:
    """Return the names of the functions that nodes call, directly or not."""
    found: set[str] = set()
    waiting, known = [*nodes], {*functions}
    while waiting:
        node = waiting.pop()
        names = {node.op}
        for value in node.attr.values():
            names |= {value.func.name, *(one.name for one in value.list.func)}
        for name in (names & known) - found:
            found.add(name)
            waiting += functions[name]
    return found
