"""A missing package is named with what installs it; one that is broken says itself what is wrong."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rosenblatt._extras import needed


@pytest.fixture(autouse=True)
def _folder_of_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "broken_package.py").write_text("import something_it_needs")
    (tmp_path / "faulty_package.py").write_text("raise ImportError('libfault.so: not found')")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("broken_package", "faulty_package"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("extra", "install"), [("some", "'rosenblatt[some]'"), (None, "absent_package")])
def test_a_missing_package_is_named_with_what_installs_it(extra: str | None, install: str) -> None:
    with pytest.raises(ModuleNotFoundError) as raised, needed("this needs", "absent_package", extra=extra):
        import absent_package.part  # type: ignore[import-not-found]  # noqa: F401
    assert str(raised.value) == f"this needs absent_package: pip install {install}"
    assert raised.value.name == "absent_package"


@pytest.mark.parametrize(
    ("package", "message"), [("broken_package", "something_it_needs"), ("faulty_package", "libfault.so: not found")]
)
def test_a_broken_package_says_itself_what_is_wrong(package: str, message: str) -> None:
    with pytest.raises(ImportError, match=message), needed("this needs", package, extra="some"):
        __import__(package)
