"""Codecs side by side: real files, their sizes and scores, tables, charts and the report.

    codecs  ->  coding  ->  measure  ->  rd        rows in rd.csv; batches/ as JSON
    codecs  ->  nearest  ->  views                 pictures of equal size
    rows  ->  curves  ->  summary  ->  report      table, plot
                                   ->  page_data  ->  page      one HTML file, from the templates in page_assets/
    bench                                          all of it

May import benchmarks.datasets, benchmarks.errors, bitstream and ddncodec; not benchmarks.experiments.
"""
