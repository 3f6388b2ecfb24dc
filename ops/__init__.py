"""Operators' commands: bring the system to AWS, look into it, and repair it, there or on one machine."""
