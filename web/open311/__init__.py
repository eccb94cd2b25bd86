"""GeoReport v2: what its answers look like, in JSON and XML."""
