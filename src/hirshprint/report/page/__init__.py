"""The report as one HTML page: what it shows, its template, its styles and its script."""
