"""Models and assumptions to draws, and draws to summaries."""
