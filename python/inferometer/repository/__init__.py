"""Model repositories in Triton's layout: ``NAME/config.pbtxt`` and ``NAME/<version>/model.onnx``.

    for model in read_repository(Path("model_repository")):
        print(model.name, model.version, model.config.batching)

Reading loads no model. docs/serve.md says which fields of a config.pbtxt have an effect.
"""

from __future__ import annotations

from inferometer.repository.agreement import check_agreement, datatype_name
from inferometer.repository.layout import RepositoryModel, read_repository
from inferometer.repository.model_config import ModelConfig, TensorConfig, config_of, read_config

__all__ = [
    "ModelConfig",
    "RepositoryModel",
    "TensorConfig",
    "check_agreement",
    "config_of",
    "datatype_name",
    "read_config",
    "read_repository",
]
