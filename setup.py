"Package metadata, read from settings.ini."
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser(interpolation=None)
config.read(here / "settings.ini", encoding="utf-8")
meta = config["DEFAULT"]
extras = {name: config["extras"][name].split() for name in config["extras"] if name not in meta}
extras["all"] = sorted({r for name in ("torch", "data", "notebooks") for r in extras[name]})
extras["dev"] = sorted({r for name in ("torch", "data", "notebooks", "book", "dev") for r in extras[name]})
minor = int(meta["min_python"].split(".")[1])

setup(
    name=meta["name"],
    version=meta["version"],
    description=meta["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    keywords=[k.strip() for k in meta["keywords"].split(",")],
    author=meta["author"],
    license=meta["license"],
    url=meta["repo_url"],
    project_urls={"Documentation": meta["doc_url"], "Source": meta["repo_url"]},
    python_requires=f">={meta['min_python']}",
    install_requires=meta["requirements"].split(),
    extras_require=extras,
    package_dir={"": "."},
    packages=find_packages(include=["nnbook", "nnbook.*"]),
    package_data={"nnbook": ["py.typed", "*.pyi"], "nnbook._results": ["*.json", "*.safetensors"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        *[f"Programming Language :: Python :: 3.{m}" for m in range(minor, 15)],
    ],
)
