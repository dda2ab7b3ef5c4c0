"""Training a network, its codebooks, its index prior and its tables. Imports everything but `cli` and `benchmarks`."""
