"""The layout is what pyproject.toml says it is, and the tables are complete."""

import re
import shlex
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from console.processes import procfile
from events import DRAIN, QUEUES, ROUTES, Event
from workers.steps import PHASE_ACTORS

ROOT = Path(__file__).parent.parent
TOOL = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
OURS_ONLY = {"bench", "chaos"}  # run from the project, never shipped
PACKAGES = sorted({p.parent.name for p in ROOT.glob("*/__init__.py")} - OURS_ONLY)


def declared_actors():
    """Every actor in workers/, with its queue, as its decorator says."""
    declaration = re.compile(r'@dramatiq\.actor\(queue_name="(\w+)", actor_name="(\w+)"')
    sources = [path.read_text() for path in (ROOT / "workers").glob("*.py")]
    return {name: queue for text in sources for queue, name in declaration.findall(text)}


def test_every_package_is_shipped_and_has_a_layer():
    (layers,) = [c["layers"] for c in TOOL["importlinter"]["contracts"] if c["type"] == "layers"]
    layered = [name.strip() for layer in layers for name in layer.split("|")]

    assert sorted(TOOL["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    assert sorted(TOOL["importlinter"]["root_packages"]) == PACKAGES
    assert sorted(layered) == PACKAGES


def test_no_dependency_takes_one_of_our_names():
    owners = packages_distributions()

    taken = {name: owners[name] for name in PACKAGES if set(owners.get(name, [])) - {"sugarloop"}}

    assert taken == {}


def test_every_event_has_a_route_and_every_route_an_actor_on_its_queue():
    actors = declared_actors()

    assert set(ROUTES) == set(Event.__args__)
    assert all(route.actors or route.behaviour for route in ROUTES.values())
    for to in [DRAIN, *(to for route in ROUTES.values() for to in route.actors)]:
        assert actors[to.actor] == to.queue


def test_every_phase_of_a_run_has_an_actor_on_its_queue():
    actors = declared_actors()

    assert {actor: queue for queue, actor in PHASE_ACTORS.values()}.items() <= actors.items()


def test_every_actor_is_reached_by_an_event_or_a_phase():
    reached = {to.actor for route in ROUTES.values() for to in (*route.actors, DRAIN)}
    reached |= {actor for _, actor in PHASE_ACTORS.values()}

    assert set(declared_actors()) == reached


def test_the_procfile_serves_every_queue_once():
    served = []
    for command in procfile().values():
        words = shlex.split(command)
        if "--queues" in words:
            served.append(words[words.index("--queues") + 1])

    assert (
        sorted(served)
        == sorted(QUEUES)
        == sorted({q for q, _ in PHASE_ACTORS.values()} | {"realtime"})
    )


def test_every_actor_says_what_a_second_delivery_does():
    actor = re.compile(r'@dramatiq\.actor\([^)]*\)\ndef \w+\([^)]*\)[^:]*:\n    """(.*?)"""', re.S)
    docstrings = [
        " ".join(text.split())
        for path in (ROOT / "workers").glob("*.py")
        for text in actor.findall(path.read_text())
    ]

    assert len(docstrings) == len(declared_actors())
    assert [text for text in docstrings if "second" not in text] == []


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("import " + "pickle", id="pickle"),
        pytest.param("/work" + "/", id="a_path_of_one_machine"),
        pytest.param("files." + "pythonhosted", id="a_package_host"),
        pytest.param("pypi" + ".org", id="a_package_index"),
    ],
)
def test_no_file_of_the_project_holds(word):
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    paths = [ROOT / name for name in tracked if name] or list(ROOT.glob("*/**/*.py"))

    held = [
        str(path.relative_to(ROOT))
        for path in paths
        if path.is_file() and word in path.read_text(errors="replace")
    ]

    assert held == []
