"""One service under chosen settings."""
