"""The command line, `ddnc`: one command per file, gathered in `main`.

May import everything else of the project, and nothing imports it. Modules here import torch only inside the function
that needs it, or not at all; `session`, the body of `ddnc train`, is the one exception.
"""
