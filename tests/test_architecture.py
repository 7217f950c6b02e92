"""The shape of the code: who may import whom, when TensorFlow comes in, and what may not be written."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "nst_core"

# Each module imports only modules before it, at its top, in its functions and for its types alike.
# fmt: off
ORDER = (
    "errors", "store", "system", "images", "decoding", "intake", "samples", "pictures",
    "architectures", "choices", "backbones", "anatomy", "precision", "checks", "config", "presets",
    "strength", "wording", "plan", "records", "estimate",
    "networks", "imagenet", "weights", "downloads", "tiles", "memory", "room", "work", "speed_file",
    "speed_guess", "speeds",
    "tensors", "compiled", "operations", "features", "activations", "statistics", "losses", "canvas", "easel",
    "backward", "shifts", "engine", "lbfgs", "optimisers",
    "sums", "tile_graphs", "tiled",
    "material", "rung", "course", "models",
    "likeness", "texture", "metrics",
    "transfer", "tutorial", "stepping", "bench",
    "warming", "judge", "comparison", "comparison_table", "lettering", "sheet",
    "lanes", "jobs",
    "plotting", "timeline", "series", "figures", "anatomy_figures", "depth_figures",
    "tables", "curves", "report_dress", "report_parts", "report",
    "study",
    "cli_words",
    "cli_run", "cli_compare", "cli_bench", "cli",
)
# fmt: on
# Modules that compute import TensorFlow at their top, or one that does; nothing else may lead to it.
IMPORT_TENSORFLOW = {"features", "statistics", "losses", "shifts", "engine", "optimisers"}
IMPORT_TENSORFLOW |= {
    "tensors",
    "compiled",
    "operations",
    "backward",
    "sums",
    "tile_graphs",
    "tiled",
    "tutorial",
}
COMPUTE = IMPORT_TENSORFLOW | {"material", "rung", "course", "transfer"}
HEAVY = {"tensorflow", "keras"}

MODULES = sorted(CORE.glob("*.py"))
PAGES = sorted([ROOT / "app.py", *(ROOT / "pages").rglob("*.py")])


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of the modules that are imported anywhere under `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError("relative imports hide what is imported")
            if node.module == "nst_core":
                yield from (f"nst_core.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)


def imports_at_import(tree: ast.Module) -> Iterator[str]:
    """Those that importing the module itself carries out: not in functions, not for types only."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def core_parts(names: Iterator[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("nst_core.")}


def packages(names: Iterator[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def unwanted(tree: ast.AST) -> Iterator[str]:
    """What library code does not do: print, assert, catch everything."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print" | "pprint" | "breakpoint" as name)):
                yield f"{name} in line {node.lineno}"
            case ast.Assert():
                yield f"assert in line {node.lineno}"
            case ast.ExceptHandler(type=caught):
                names = (
                    {leaf.id for leaf in ast.walk(caught) if isinstance(leaf, ast.Name)} if caught else set()
                )
                if caught is None or names & {"Exception", "BaseException"}:
                    yield f"broad except in line {node.lineno}"


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def test_the_order_names_every_module_once() -> None:
    assert sorted(ORDER) == sorted(path.stem for path in MODULES if path.stem != "__init__")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_import_only_earlier_ones(path: Path) -> None:
    rank = ORDER.index(path.stem) if path.stem in ORDER else 0
    assert core_parts(imports(parse(path))) <= set(ORDER[:rank])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_core_knows_nothing_of_the_pages(path: Path) -> None:
    assert not packages(imports(parse(path))) & {"streamlit", "pages", "app", "tests", "assets"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_core_does_not_print_assert_or_catch_everything(path: Path) -> None:
    tree = parse(path)
    assert list(unwanted(tree)) == []
    streams = re.findall(r"sys\.(?:stdout|stderr)", ast.unparse(tree))
    assert not streams or path.stem.startswith("cli")


def test_tensorflow_is_imported_at_the_top_where_it_is_computed_with_only() -> None:
    at_top = {path.stem for path in MODULES if packages(imports_at_import(parse(path))) & HEAVY}
    assert at_top == IMPORT_TENSORFLOW
    leading_there = {path.stem for path in MODULES if core_parts(imports_at_import(parse(path))) & COMPUTE}
    assert leading_there <= COMPUTE


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_paint_of_a_page_does_not_wait_for_tensorflow(path: Path) -> None:
    names = set(imports_at_import(parse(path)))
    assert not packages(iter(names)) & HEAVY
    assert not core_parts(iter(names)) & COMPUTE


def test_importing_what_does_not_compute_leaves_tensorflow_out() -> None:
    light = [f"nst_core.{name}" for name in ORDER if name not in COMPUTE]
    code = (
        f"import sys, {', '.join(light)}\n"
        "print(sorted({'tensorflow', 'keras', 'streamlit'} & set(sys.modules)))\n"
        "try:\n"
        "    nst_core.cli.main(['transfer', '--help'])\n"
        "except SystemExit:\n"
        "    print(sorted({'tensorflow', 'keras', 'streamlit', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("[]", "[]")
    assert "usage: nst transfer" in done.stdout


# The readers above can themselves be wrong.


def test_imports_are_seen_wherever_they_are() -> None:
    tree = ast.parse(
        "import a.b\n"
        "from nst_core import one\n"
        "from nst_core.two import x\n"
        "if TYPE_CHECKING:\n    from nst_core.three import x\n"
        "else:\n    import otherwise\n"
        "def f():\n    from nst_core.four import x\n    import tensorflow as tf\n"
        "class C:\n    import inside\n    def m(self):\n        import keras\n"
        "try:\n    import maybe\nexcept ImportError:\n    import instead\n"
    )
    assert core_parts(imports(tree)) == {"one", "two", "three", "four"}
    assert packages(imports(tree)) >= {"a", "tensorflow", "keras", "inside", "maybe", "instead", "otherwise"}
    at_import = set(imports_at_import(tree))
    assert at_import == {
        "a.b", "nst_core.one", "nst_core.two", "otherwise", "inside", "maybe", "instead"
    }  # fmt: skip
    with pytest.raises(ValueError, match="relative"):
        list(imports(ast.parse("from .config import x")))


@pytest.mark.parametrize(
    "text",
    ["print(1)", "assert x", "try:\n    f()\nexcept:\n    g()", "try:\n    f()\nexcept Exception:\n    g()",
     "try:\n    f()\nexcept (OSError, BaseException) as error:\n    g()"],
)  # fmt: skip
def test_unwanted_statements_are_seen(text: str) -> None:
    assert len(list(unwanted(ast.parse(text)))) == 1
    assert list(unwanted(ast.parse("try:\n    f()\nexcept (OSError, ValueError):\n    printed()"))) == []


# What is in the repository is for its readers.

SUFFIXES = {".py", ".md", ".toml", ".txt", ".json", ".yml", ".yaml", ".css", ".js", ".html", ".sh", ""}
FOLDERS = ("nst_core", "pages", "assets", "tests", ".streamlit", ".ci", ".github")
# In pieces, so that this file may pass its own test.
REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "ana" + "conda.org",
    "crates" + ".io",
    "proxy.golang" + ".org",
)
FORBIDDEN = {
    "the address of a package registry": "|".join(re.escape(host) for host in REGISTRIES),
    "a path of one machine": r"(?<![\w.*\-])/(?:wo" + r"rk/|op" + r"t/v\b|ro" + "ot/)",
}


def texts() -> list[Path]:
    # In a linked working tree `.git` is a file that says where the repository lies.
    loose = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in loose + inside if path.suffix in SUFFIXES and "__pycache__" not in path.parts]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_repository_names_no_registry_and_no_machine(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1)
        if re.search(FORBIDDEN[what], line, re.IGNORECASE)
    ]
    assert found == []


def test_forbidden_words_are_seen() -> None:
    registry, machine = FORBIDDEN.values()
    assert re.search(registry, "https://" + "pypi" + ".org/simple")
    assert re.search(machine, "cd " + "/wo" + "rk/main")
    assert re.search(machine, '"' + "/op" + 't/v/bin"')
    assert not re.search(machine, "frame/wo" + "rk/x and pages/wo" + "rk/x and /opt/vision")
    assert len(texts()) > len(MODULES)
