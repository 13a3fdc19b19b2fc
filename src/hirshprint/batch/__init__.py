"""One surface job: the surfaces and fingerprints of a batch of structures, and what is kept of them."""
