"""The proof: the suite against every faulty deployment and every lawful variant of the reference."""
