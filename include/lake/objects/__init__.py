"""The lake's objects, in files or in S3, each written under a condition."""
