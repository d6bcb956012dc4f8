"""A stand-in SugarCRM for tests and demos: a process of its own, never imported by the product."""
