"""Where the import of a helper goes in a file that imports nothing of the framework itself."""

import pytest

import codemods

SHARED = "from agentlightning import Trainer\n\ntrainer = Trainer(n_runners=1)\n"
USE = '\ntrainer.fit_v0(object(), "http://localhost:9999")\n'
LINE = "from agentlightning_compat.legacy import fit_fleet\n"


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("from shared import trainer\n", LINE + "\nfrom shared import trainer\n"),
        ("from .shared import trainer\n", LINE + "\nfrom .shared import trainer\n"),
        (
            "import os\n\nfrom shared import trainer\n",
            "import os\n\n" + LINE + "\nfrom shared import trainer\n",
        ),
        (
            "import numpy\nfrom torch import nn\n\nfrom shared import trainer\n",
            "import numpy\n" + LINE + "from torch import nn\n\nfrom shared import trainer\n",
        ),
        (
            "from absl import app\n\nfrom shared import trainer\n",
            "from absl import app\n" + LINE + "\nfrom shared import trainer\n",
        ),
        # Whoever puts own modules first does not want them torn apart.
        (
            "from shared import trainer\nimport os\n",
            "from shared import trainer\nimport os\n\n" + LINE,
        ),
    ],
)
def test_between_the_standard_library_and_own_modules(imports, expected):
    fixed = codemods.fix_source(
        imports + USE, path="pkg/use.py", others={"pkg/shared.py": SHARED}, select=["AGL210"]
    )
    assert fixed.code.startswith(expected)
    again = codemods.fix_source(
        fixed.code, path="pkg/use.py", others={"pkg/shared.py": SHARED}, select=["AGL210"]
    )
    assert again.code == fixed.code
