"""`python -m ddncodec.cli`, for `torchrun` and wherever the script `ddnc` is not on the path."""

from ddncodec.cli.main import main

if __name__ == "__main__":
    main(prog_name="ddnc")
