"""Codecs side by side: real files, their sizes and scores, tables, charts and the report."""
