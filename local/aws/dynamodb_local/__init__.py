"""AWS's own DynamoDB Local, which witnesses what the store does beside moto."""
