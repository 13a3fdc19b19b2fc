"""What is predicted without a surface: from composition and formula."""
