"""`python -m ewarn.cli` is `ewarn`."""

import sys

from ewarn.cli import main

sys.exit(main())
