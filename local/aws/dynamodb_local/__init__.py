"""AWS's own DynamoDB Local, on which the store's contract suite runs as well as on moto."""
