"""What is handed on: figures and tables as journals want them, data package, metadata, release archive."""
