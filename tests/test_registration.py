"""igdet registers with Detectron2 as soon as both are imported, whichever comes first, by whatever of its modules."""

import pytest
from python_process import fresh_python

SCRIPT = """
import sys
{}
from detectron2.modeling import BACKBONE_REGISTRY, META_ARCH_REGISTRY
from detectron2.utils.file_io import PathManager
print("X_101_32x8d" in BACKBONE_REGISTRY, "FCOS" in META_ARCH_REGISTRY, "igdet://" in PathManager._path_handlers)
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import igdet; assert 'torch' not in sys.modules",
        "import detectron2.modeling, igdet",
        "from igdet.checkpoint.onnx_export import to_onnx",
        "from igdet.config.check import check_config",
        "from igdet.modeling.trunk import FAMILIES",
        "from igdet.engine import Trainer",
        "import igdet; from importlib.util import find_spec; find_spec('detectron2'); import detectron2",
        "from igdet.config.keys import check_keys; check_keys('', []); import igdet.engine.run",
    ],
)
def test_both_are_imported(imports, tmp_path):
    process = fresh_python("-c", SCRIPT.format(imports), cwd=tmp_path)
    assert process.stdout == "True True True\n", process.stderr


BROKEN_AT_FIRST = """
import sys
import igdet
sys.modules["torch"] = None
try:
    import detectron2
except ImportError:
    del sys.modules["torch"]
else:
    raise AssertionError("imported without torch")
import detectron2.modeling
"""


def test_an_import_that_fails_can_be_tried_again(tmp_path):
    process = fresh_python("-c", SCRIPT.format(BROKEN_AT_FIRST), cwd=tmp_path)
    assert process.stdout == "True True True\n", process.stderr
