"""The model of the scenarios: a TorchScript module of 2 KB that returns the words of each text.

`python -m tests.support.make_tiny_model` creates tiny_model.pt; only this script requires PyTorch.
"""

import base64
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "tiny_model.pt"
# The special tokens of the BERT tokenizer, and some words; the model returns a weight for each of them.
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "these", "are", "my", "words"]

CONFIGURATION: dict[str, Any] = {
    "model_type": "pytorch",
    "description": "A tiny model of the tests of esml; it may be deleted",
    "input": {"field_names": ["text_field"]},
    "inference_config": {"text_expansion": {"tokenization": {"bert": {"max_sequence_length": 64}}}},
}

# A tree model with one leaf, which cannot be deployed.
TREE: dict[str, Any] = {
    "model_type": "tree_ensemble",
    "description": "A tiny model of the tests of esml; it may be deleted",
    "input": {"field_names": ["x"]},
    "inference_config": {"regression": {}},
    "definition": {
        "trained_model": {
            "tree": {
                "feature_names": ["x"],
                "tree_structure": [{"node_index": 0, "leaf_value": 1.0}],
                "target_type": "regression",
            }
        }
    },
}


def definition() -> dict[str, Any]:
    """Return the request body that uploads the definition of the model as a single part."""
    data = FILE.read_bytes()
    return {
        "definition": base64.b64encode(data).decode(),
        "total_definition_length": len(data),
        "total_parts": 1,
    }
