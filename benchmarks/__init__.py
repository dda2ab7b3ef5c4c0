"""Rate-distortion measurements of ddncodec and its rivals; repository only, never installed.

    datasets, codecs, metrics  ->  rd (measures, appends rows)  ->  rows.csv
    rows                       ->  curves  ->  report (table, plot; reads rows only)

May import ddncodec (lazily: the rivals run without it); nothing imports this package.
"""
