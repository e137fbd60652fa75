"""Creates tiny_model.pt: `pip install torch && python -m tests.support.make_tiny_model`, in a separate environment.

The tests only need the file. Elasticsearch calls the module with the output of the BERT tokenizer: four tensors of
integers, one row per text. It returns one row per text, with a weight for each word of the vocabulary.
"""

import torch  # type: ignore[import-not-found,unused-ignore]

from tests.support.tiny_model import FILE, VOCABULARY


class Tiny(torch.nn.Module):  # type: ignore[misc,unused-ignore]
    """Counts the words of each text, without padding."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = words

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor,
        position_ids: torch.Tensor,
    ) -> torch.Tensor:
        """Return the count of each word of the vocabulary in each text."""
        weights = torch.zeros([input_ids.size(0), self.words], dtype=torch.float)
        return weights.scatter_add(1, input_ids, attention_mask.to(torch.float))


def main() -> None:
    """Write the file, and print its size and the output of the model that was loaded from it."""
    torch.jit.script(Tiny(len(VOCABULARY)).eval()).save(str(FILE))
    ids = torch.tensor([[2, 5, 8, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 0]])
    print(FILE.stat().st_size, "bytes;", torch.jit.load(str(FILE))(ids, mask, mask, ids))


if __name__ == "__main__":
    main()
