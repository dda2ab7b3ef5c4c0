"""Rate-distortion measurements of ddncodec and its rivals; repository only, never installed.

    datasets, codecs  ->  coding  ->  measure  ->  rd      rows: rd.csv, and batches/ as JSON
    codecs            ->  nearest  ->  views               pictures at equal size
    rows  ->  curves  ->  summary  ->  report              table, plot
                                   ->  page_data  ->  page  one HTML file, from templates in page/
    bench                                                  all of it

May import ddncodec (lazily: the rivals run without it); nothing imports this package.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `ddncodec.cli` does, before numpy is loaded
