"""AWS on one machine: its APIs by moto, its Lambdas by their real runtime, MWAA by its one call."""
