"""`python -m ddncodec.cli`, for `torchrun` and wherever the script `ddnc` is not on the path."""

from ddncodec.cli.start import start

if __name__ == "__main__":
    start()
