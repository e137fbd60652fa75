"""Makes tiny_model.pt anew: `pip install torch && python -m tests.support.make_tiny_model`, in an environment apart.

The tests need only the file. It holds a module as Elasticsearch calls one with the tokenizer of BERT: four tensors of
whole numbers, one row for each text; it returns a row of weights for each, one weight for each word of the vocabulary.
"""

import torch  # type: ignore[import-not-found,unused-ignore]

from tests.support.tiny_model import FILE, VOCABULARY


class Tiny(torch.nn.Module):  # type: ignore[misc,unused-ignore]
    """Counts the words of each text, and leaves out what only fills up a row."""

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
        """Return how often each word of the vocabulary stands in each text."""
        weights = torch.zeros([input_ids.size(0), self.words], dtype=torch.float)
        return weights.scatter_add(1, input_ids, attention_mask.to(torch.float))


def main() -> None:
    """Write the file, and show that it can be read and answers."""
    torch.jit.script(Tiny(len(VOCABULARY)).eval()).save(str(FILE))
    ids = torch.tensor([[2, 5, 8, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 0]])
    print(FILE.stat().st_size, "bytes;", torch.jit.load(str(FILE))(ids, mask, mask, ids))


if __name__ == "__main__":
    main()
