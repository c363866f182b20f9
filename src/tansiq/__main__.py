"""`python -m tansiq`: the same program as `tansiq`."""

from tansiq.cli.main import run

run()
