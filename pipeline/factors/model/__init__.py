"""The factor table: what a query and a thousand tokens take, as in production and for stated deployments."""
