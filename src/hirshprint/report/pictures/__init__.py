"""Pictures of single structures and fingerprints, in three dimensions too."""
