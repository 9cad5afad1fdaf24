"""Digests of tensors and of torch's data sets."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.utils.data import (  # noqa: E402
    ConcatDataset,
    DataLoader,
    Dataset,
    StackDataset,
    Subset,
    TensorDataset,
)

from nbtrack.capture.digests import NotDigestible, digest_of  # noqa: E402
from nbtrack.capture.digests.torch_data import data_within  # noqa: E402

T = torch.arange(60_000.0).reshape(300, 200)


@pytest.mark.parametrize(
    "same",
    [
        T.clone(),
        T.t().contiguous().t(),
        torch.cat([T, T])[:300],
        T.clone().requires_grad_(),
        torch.nn.Parameter(T.clone()),
        T * torch.ones(1, requires_grad=True),
    ],
    ids=["copy", "turned", "view", "requires grad", "parameter", "in a graph"],
)
def test_how_a_tensor_lies_does_not_count(same):
    assert digest_of(same) == digest_of(T)


def test_dtype_shape_and_every_element_of_a_tensor_count():
    changed = T.clone()
    changed[201, 7] += 1
    others = [T.half(), T.bfloat16(), T.double(), T > 3, T.view(-1), T.t(), changed]
    others += [T.to(torch.complex64), T.to(torch.float8_e4m3fn), T[:0]]
    assert len({digest_of(each) for each in [T, *others]}) == len(others) + 1


def test_a_large_tensor_is_read_in_pieces_however_it_lies():
    large = torch.rand(1500, 1500)
    assert digest_of(large.t()) == digest_of(large.t().contiguous())


@pytest.mark.filterwarnings("ignore")
def test_sparse_and_quantised_tensors_count_by_their_values():
    small = torch.eye(4)
    doubled = torch.sparse_coo_tensor([[0, 0], [1, 1]], [1.0, 2.0], (4, 4))
    assert digest_of(doubled) == digest_of(doubled.coalesce())
    assert digest_of(small.to_sparse()) != digest_of((small * 2).to_sparse())
    assert digest_of(small.to_sparse_csr()) != digest_of(small.to_sparse_csc())
    quantised = [
        torch.quantize_per_tensor(small, s, 0, torch.quint8) for s in (0.1, 0.2)
    ]
    assert digest_of(quantised[0]) != digest_of(quantised[1])


def test_reading_a_tensor_leaves_it_as_it_was():
    tensor = torch.zeros(10)
    version = tensor._version
    digest_of(tensor)
    assert tensor._version == version
    tensor.resize_(2_000)  # `numpy()` on the tensor itself would forbid it


def test_a_tensor_without_values_says_so():
    with pytest.raises(NotDigestible, match="meta"):
        digest_of(torch.empty(3, device="meta"))


def test_data_sets_that_hold_their_data_count_by_it():
    held = TensorDataset(T, torch.arange(300))
    found = [held, Subset(held, [0, 1]), Subset(held, [1, 0]), Subset(held, range(3))]
    found += [ConcatDataset([held, held]), StackDataset(held, held), TensorDataset(T)]
    assert len({digest_of(each) for each in found}) == len(found)
    assert digest_of(DataLoader(held, batch_size=7)) == digest_of(held)
    same = TensorDataset(T.clone(), torch.arange(300))
    assert digest_of(Subset(same, [0, 1])) == digest_of(found[1])


def test_data_and_targets_stand_for_a_data_set_of_images():
    class Images(Dataset):
        def __init__(self, first):
            self.data = torch.zeros(5, 8, 8, dtype=torch.uint8)
            self.data[0, 0, 0] = first
            self.targets = [1, 2, 3, 4, 5]

    assert digest_of(Images(0)) == digest_of(Images(0)) != digest_of(Images(1))


def test_items_of_an_unknown_data_set_are_never_asked_for():
    class Own(Dataset):
        def __init__(self):
            self.rows = np.arange(3)

        def __getitem__(self, at):
            pytest.fail("asked for an item")

        def __len__(self):
            return 3

    with pytest.raises(NotDigestible, match="Own: its items are made by its own code"):
        digest_of(Own())
    assert [name for name, _ in data_within(Own())] == ["rows"]

    class Changed(TensorDataset):
        __getitem__ = Own.__getitem__

    with pytest.raises(NotDigestible, match="Changed"):
        digest_of(Changed(T))
