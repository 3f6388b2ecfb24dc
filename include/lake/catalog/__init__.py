"""The catalogue, in which queries find the lake's tables and partitions."""
