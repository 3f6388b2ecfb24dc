"""The numbers that the system holds, measured on this machine: `make bench`."""
