"""The command line, `ddnc`: one command per file, gathered in `main`.

May import everything else of the project, and nothing imports it. Modules here import torch only inside the function
that needs it, or not at all; `session`, the body of `ddnc train`, is the one exception.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""For numpy, which is not loaded yet: the small products of an index prior wake its threads, and these wait busily."""
