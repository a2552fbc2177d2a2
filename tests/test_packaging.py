"""What a package index, GitHub and those who cite the project read: one version, one address, pinned actions."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

import rosenblatt

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GITHUB = sorted((ROOT / ".github").rglob("*.yml"))
WORKFLOWS = [path for path in GITHUB if path.parent.name == "workflows"]
pytestmark = pytest.mark.skipif(not GITHUB, reason="a source distribution has no workflows")


def named(paths):
    return [pytest.param(path, id=path.name) for path in paths]


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## \[(.*?)\]", changelog, re.M).group(1)
    version = rosenblatt.__version__
    assert version == PROJECT["project"]["version"] == str(citation["version"])
    said = f"Version {version} will be" in changelog or f"## [{version}] - " in changelog
    assert first == version or (first == "Unreleased" and said)


def test_versions_of_the_changelog_have_dates_and_links():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", changelog, re.M)
    assert headings[0] == "[Unreleased]"
    for heading in headings:
        assert re.fullmatch(r"\[Unreleased\]|\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading)
        assert f"\n{heading.split(' - ')[0]}: https://" in changelog


def test_addresses_are_those_of_one_project():
    urls, pages = PROJECT["project"]["urls"], ["CITATION.cff", "CODE_OF_CONDUCT.md", "SECURITY.md", "pyproject.toml"]
    for name in [*pages, *(str(path.relative_to(ROOT)) for path in GITHUB)]:
        for owner in re.findall(r"github(?:usercontent)?\.com/([\w-]+)", (ROOT / name).read_text(encoding="utf-8")):
            assert f"https://github.com/{owner}/" in urls["Source"], name


@pytest.mark.parametrize("path", named(GITHUB))
def test_github_files_are_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("path", named(WORKFLOWS))
def test_actions_are_pinned_by_commit_and_jobs_have_few_rights(path):
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    used = [place for place in re.findall(r"uses: (.*)", text) if not place.startswith("./")]
    assert used or "uses: ./" in text
    for place in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", place), place
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert set(job["permissions"].items()) <= {("contents", "read"), ("id-token", "write")}, name
        assert "uses" in job or job["timeout-minutes"] <= 90, name


def test_what_workflows_name_is_there_and_a_change_of_it_starts_them():
    """Extras, paths and tools; YAML reads the key "on" as true."""
    extras = PROJECT["project"]["optional-dependencies"]
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        for names in re.findall(r'"\.\[([\w,]+)\]"', text):
            assert set(names.split(",")) <= set(extras), path.name
        tools = [*re.findall(r"run: (tools/\w+)", text), *re.findall(r"uses: \./(\S+)", text)]
        if "cibuildwheel" in text:
            tools += PROJECT["tool"]["cibuildwheel"]["test-sources"]
        assert all((ROOT / tool).is_file() for tool in tools), path.name
        paths = (yaml.safe_load(text)[True].get("pull_request") or {}).get("paths", ["**"])
        assert all(any(ROOT.glob(pattern)) for pattern in paths), path.name
        assert all(any(fnmatch(tool, pattern) for pattern in paths) for tool in tools), path.name


def test_dependabot_looks_where_dependencies_are():
    files = {"pip": "*.t*", "npm": "package.json", "github-actions": ".github/workflows/*.yml"}
    entries = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text(encoding="utf-8"))["updates"]
    for entry in entries:
        for folder in entry.get("directories", [entry.get("directory")]):
            assert any((ROOT / folder.strip("/")).glob(files[entry["package-ecosystem"]])), folder


def test_an_action_has_one_version():
    pins = {place for path in WORKFLOWS for place in re.findall(r"uses: (\S+@\w+)", path.read_text(encoding="utf-8"))}
    assert len(pins) == len({pin.partition("@")[0] for pin in pins})


def test_links_of_the_index_page_are_whole_addresses():
    hook = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    text = "".join((ROOT / fragment["path"]).read_text(encoding="utf-8") for fragment in hook["fragments"])
    pages = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    for change in hook["substitutions"]:
        text = re.sub(change["pattern"], change["replacement"], text)
    assert re.findall(r"\]\((?!https?:|#)[^)]*\)", text) == []
    places = re.findall(r"\]\(https://\S+?/rosenblatt/(?:blob/)?v\$HFPR_VERSION/([^)#\s]+)", text)
    assert places == pages != []


def test_a_source_distribution_is_said_to_be_licensed_as_its_parts_are():
    for pattern in PROJECT["project"]["license-files"]:
        assert (ROOT / pattern).is_file()
