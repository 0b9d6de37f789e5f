"""Print what netlab needs, one requirement a line, so that an image layer can hold it without netlab's own code."""

import sys
import tomllib
from pathlib import Path

pyproject = tomllib.loads(Path(sys.argv[1]).read_text())
print("\n".join(pyproject["build-system"]["requires"] + pyproject["project"]["dependencies"]), "editables", sep="\n")
