"""Hooks of mkdocs.yml: the README as home page, the pages of whole folders, and a reference page for each package."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"Results": "benchmarks", "Notes": "notes"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Append to the navigation what no one should have to list by hand."""
    for title, folder in FOLDERS.items():
        names = sorted(path.name for path in Path(config.docs_dir, folder).glob("*.md") if path.stem != "index")
        config.nav.append({title: [f"{folder}/{name}" for name in ("index.md", *names)]})
    config.nav.append({"Python API": [{f"igdet.{package.stem}": page_of(package)} for package in packages()]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=readme.replace("](docs/", "](")))
    for package in packages():
        files.append(File.generated(config, page_of(package), content=reference(package)))
    return files


def packages() -> list[Path]:
    """Return what lies directly in igdet: packages, and modules by themselves."""
    folder = ROOT / "igdet"
    modules = [path for path in folder.glob("*.py") if path.stem != "__init__"]
    return sorted([*(path.parent for path in folder.glob("*/__init__.py")), *modules])


def page_of(package: Path) -> str:
    """Return the place of its page in the site."""
    return f"api/{package.stem}.md"


def reference(package: Path) -> str:
    """Return a page that has mkdocstrings describe every module of a package."""
    modules = sorted(package.rglob("*.py")) if package.is_dir() else [package]
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in modules)
    return "\n\n".join((f"# igdet.{package.stem}", *(f"::: {name}" for name in names if "._" not in name)))
