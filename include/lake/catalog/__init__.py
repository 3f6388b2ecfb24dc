"""Where queries find the lake's tables and partitions."""
