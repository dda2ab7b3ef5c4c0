"""Measurements of ddncodec and of other codecs; in the source tree only, never installed.

    compare/        codecs on the same pictures: rows, tables, charts, the report
    experiments/    one question about the network each
    datasets        test pictures; demo: one picture, end to end

May import bitstream and ddncodec, the command line excepted. Nothing imports this package. Other codecs are measured
without ddncodec's network: `compare` imports it only where ddnc itself runs.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `ddncodec.cli` does, before numpy is loaded
