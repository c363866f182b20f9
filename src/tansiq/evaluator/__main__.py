"""The key process: `python -m tansiq.evaluator FOLDER`, started by the node, spoken to through its pipe."""

import sys
from pathlib import Path

from tansiq.evaluator.process import main

if __name__ == "__main__":
    main(Path(sys.argv[1]))
