"""Terraform on one machine: checked with a mocked provider, and applied to moto's server instead of AWS."""
