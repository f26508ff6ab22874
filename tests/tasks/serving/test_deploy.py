"""The files for a deployment, held against the schemas of the programs that read them."""

import json
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

from tasks.cli.registry import TASKS

DEPLOY = Path(__file__).parents[3] / "tasks" / "serving" / "deploy"
# The newest Kubernetes whose schemas the package has.
VERSION = kubernetes_validate.latest_version()
# The fields of an InferenceService of KServe that those of a pod and of a container are added to.
PREDICTOR = {"minReplicas", "maxReplicas", "model"}
MODEL = {"modelFormat", "runtimeVersion", "protocolVersion", "storageUri"}


def documents(name: str) -> list[dict]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


def validate(document: dict) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


def batching_parameters():
    """The message BatchingParameters, which is not part of the package of TensorFlow Serving's messages."""
    kinds = {
        **dict.fromkeys(("max_batch_size", "batch_timeout_micros", "max_enqueued_batches"), "Int64Value"),
        "num_batch_threads": "Int64Value",
    }
    file = descriptor_pb2.FileDescriptorProto(name="batching.proto", package="test", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    message = file.message_type.add(name="BatchingParameters")
    for number, (name, kind) in enumerate(kinds.items(), start=1):
        message.field.add(name=name, number=number, type=11, label=1, type_name=f".google.protobuf.{kind}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.BatchingParameters"))()


def test_the_configuration_of_tensorflow_serving_names_each_task():
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((DEPLOY / "models.config").read_text(), config)
    models = {model.name: model for model in config.model_config_list.config}
    assert {*models} == {*TASKS}
    for name, model in models.items():
        assert (model.base_path, model.model_platform) == (f"/models/{name}", "tensorflow")


def test_the_batching_accepts_the_warm_up_requests():
    parameters = batching_parameters()
    text_format.Parse((DEPLOY / "batching_parameters.pbtxt").read_text(), parameters)
    assert parameters.max_batch_size.value >= 1
    assert parameters.num_batch_threads.value >= 1 and parameters.max_enqueued_batches.value >= 1


@pytest.mark.parametrize("name", ["saved_models.yaml", "tensorflow_serving.yaml"])
def test_manifests_follow_the_schemas_of_kubernetes(name):
    for document in documents(name):
        validate(document)


def test_the_deployment_finds_its_volume_its_configuration_and_its_pods():
    [volume] = documents("saved_models.yaml")
    deployment, service = documents("tensorflow_serving.yaml")
    [kustomization] = documents("kustomization.yaml")
    assert {*kustomization["resources"]} == {"saved_models.yaml", "tensorflow_serving.yaml"}
    [generated] = kustomization["configMapGenerator"]
    pod = deployment["spec"]["template"]
    [container], volumes = pod["spec"]["containers"], {one["name"]: one for one in pod["spec"]["volumes"]}
    assert volumes["saved-models"]["persistentVolumeClaim"]["claimName"] == volume["metadata"]["name"]
    assert volumes["config"]["configMap"]["name"] == generated["name"]
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    for file in generated["files"]:  # each is an argument
        assert (DEPLOY / file).exists()
        assert any(argument.endswith(f"={mounts['config']}/{file}") for argument in container["args"])
    selector = deployment["spec"]["selector"]["matchLabels"]
    assert selector.items() <= pod["metadata"]["labels"].items()
    assert service["spec"]["selector"] == selector
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= {port["name"] for port in container["ports"]}
    assert "/models/sentiment" in json.dumps(container["readinessProbe"])


def test_there_is_a_service_of_kserve_for_each_task():
    services = documents("kserve.yaml")
    assert {service["metadata"]["name"] for service in services} == {*TASKS}
    for service in services:
        assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
        assert service.keys() == {"apiVersion", "kind", "metadata", "spec"} and service["spec"].keys() == {"predictor"}
        predictor, model = service["spec"]["predictor"], service["spec"]["predictor"]["model"]
        assert model["modelFormat"] == {"name": "tensorflow"}
        assert model["storageUri"] == f"pvc://saved-models/{service['metadata']['name']}"
        # All other fields are those of a pod and of its container.
        container = {"name": "model", "image": "x", **{key: model[key] for key in model.keys() - MODEL}}
        spec = {"containers": [container], **{key: predictor[key] for key in predictor.keys() - PREDICTOR}}
        validate({"apiVersion": "v1", "kind": "Pod", "metadata": service["metadata"], "spec": spec})
