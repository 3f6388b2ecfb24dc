"""Operators' commands: deploy the system to AWS, inspect it and repair it, there or on one machine."""
