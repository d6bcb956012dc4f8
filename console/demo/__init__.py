"""`sugarloop demo`: the whole story on sample data, through the real parts, with a report."""
