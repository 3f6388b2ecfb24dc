"""Everything that runs the system elsewhere than on AWS, or tries it: nothing here is part of what AWS is given.

`stack` runs the whole system on one machine, `aws` stands in for AWS, `strava_simulator` for Strava, `demo` shows all
of it at work. `testbed` builds installations for tests and proofs, `proofs` shows the project's promises under load and
faults, `docs` writes the generated pages and inputs of Terraform. `bootstrap` makes the virtual environment.
Operators' commands, which work on AWS too, are in `ops`.
"""
