"""AWS on one machine: its APIs by moto, its Lambdas by their real runtime client, MWAA's one call by a stub."""
