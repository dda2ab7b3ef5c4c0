"""From samples to index planes and streams, and back. Imports `bitstream`, `images`, `model` and `zoo`.

Its modules import each other downwards:

    threads, ambient, precision         processor cores, settings of torch and number formats to compute with
    effort, rate, tiling, condition     settings, lambda and bits, where pictures are cut, what a model is given
    arguments, batching                 what callers pass, checked; pictures that share a batch
    distortion, visual_weights, tune    how errors count: all alike, or weighted as the eye sees them
    post_filter, narrowing, engine      a model at work, and the decoder's walk from index planes to pictures
    selection, rate_model               the best candidates of a cell, and what indices will cost
    beam, encoder                       the choice of indices
    tiles                               pictures of any size, tile by tile
    chunks, assembly                    streams put together and parsed
    price_search                        the price of a bit that gives the wanted size or PSNR
"""
