"""`python -m ddncodec`, the same as `ddnc`."""

from ddncodec.cli.start import start

if __name__ == "__main__":
    start()
