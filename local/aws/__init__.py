"""AWS on one machine: APIs by moto, Lambdas in their real runtime client, MWAA's one call by a stub."""
