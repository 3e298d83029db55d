"""``python -m napari_patchmap.cli``, as torchrun calls it."""

import sys

from napari_patchmap.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
