"""Sums over ranks: one tree, whatever the number of ranks; decisions that all share."""

import numpy as np
import pytest
from tests.distributed.rank_threads import Post, on_ranks

from rosenblatt.distributed import alone, together
from rosenblatt.distributed.communicator import LARGE, SIZES, require_size
from rosenblatt.distributed.mpi import RANK_VARIABLES, SIZE_VARIABLES
from rosenblatt.distributed.ranks import ALONE, ranks


def tree(arrays):
    """The sum in the order of the tree, by NumPy."""
    while len(arrays) > 1:
        arrays = [a + b for a, b in zip(arrays[::2], arrays[1::2], strict=True)]
    return arrays[0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("n", [1, 3, 100, LARGE, LARGE + 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sum_is_that_of_the_tree_on_all_ranks(size, n, dtype):
    rng = np.random.default_rng(n)
    parts = [(rng.normal(size=n) * 10.0 ** rng.integers(-6, 7, n)).astype(dtype) for _ in range(size)]

    def work(found):
        own = parts[found.rank].copy()
        found.communicator.allreduce(own)
        return own

    expected = tree(parts)
    if size > 2 and n > 3:  # so that another order would show
        assert expected.tobytes() != np.sum(np.array(parts[::-1]), axis=0, dtype=dtype).tobytes()
    for got in on_ranks(size, work):
        assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("size", [0, 3, 5, 6, 7, 16])
def test_other_numbers_of_ranks_are_refused(size):
    with pytest.raises(ValueError, match=f"{size} ranks were started; one network trains on 1, 2, 4 or 8"):
        require_size(size)


def test_rank_0_decides_and_its_error_is_everybodys():
    assert on_ranks(4, lambda found: found.first(lambda: ("of rank", found.rank))) == [("of rank", 0)] * 4

    def fails(found):
        with pytest.raises(FileExistsError, match="not here"):
            found.first(lambda: (_ for _ in ()).throw(FileExistsError("not here")))
        return found.rank

    assert on_ranks(4, fails) == [0, 1, 2, 3]

    def fails_strangely(found):
        class Strange(ValueError):  # which pickle cannot carry
            pass

        with pytest.raises((Strange, RuntimeError), match="odd"):
            found.first(lambda: (_ for _ in ()).throw(Strange("odd")))
        return found.rank

    assert on_ranks(2, fails_strangely) == [0, 1]


def test_an_interrupt_of_one_is_one_of_all():
    def work(found):
        assert found.until(lambda: 7.0 + found.rank) == 7.0
        if found.rank == 1:
            found.interrupt = (2, None)
        with pytest.raises(KeyboardInterrupt):
            found.until(lambda: 7.0)
        return found.until(lambda: 1.5)

    assert on_ranks(2, work) == [1.5, 1.5]


def test_another_training_is_refused_on_all_ranks_and_named():
    def work(found):
        found.require_same({"X": "a", "y": "b"})
        odd = {"X": "a", "y": "c", "extra": "1"} if found.rank == 2 else {"X": "a", "y": "b"}
        with pytest.raises(ValueError, match=r"rank 2 of 4 would train something else.*differs: y, extra\."):
            found.require_same(odd)
        return True

    assert all(on_ranks(4, work))


def test_an_error_of_one_rank_ends_the_job():
    post = Post(2)

    def work(found):
        if found.rank == 1:
            raise OSError("the disk of rank 1 is gone")
        return found.rank

    with pytest.raises(SystemExit, match="OSError: the disk of rank 1 is gone"):
        on_ranks(2, work, post)
    assert len(post.aborted) == 1
    assert post.aborted[0].startswith("rank 1: OSError")


def test_an_error_of_all_ranks_is_an_ordinary_one():
    post = Post(2)

    def work(found):
        raise LookupError("no such column")

    with pytest.raises(LookupError, match="no such column"):
        on_ranks(2, work, post)
    assert not post.aborted


def test_an_ordinary_process_is_alone(monkeypatch):
    for name in (*SIZE_VARIABLES, *RANK_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    with together() as found:
        assert found is ALONE
        assert not found.are_together


def test_under_mpiexec_without_mpi4py_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(__import__("sys").modules, "mpi4py", None)
    with pytest.raises(ImportError, match=r"pip install 'rosenblatt\[mpi\]'"), together():
        raise AssertionError("there is no MPI")
    with alone(), together() as found:
        assert found is ranks() is ALONE
