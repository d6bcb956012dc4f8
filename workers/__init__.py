"""What runs: one module a concern, each actor reads, decides, writes."""
