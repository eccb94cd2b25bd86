"""What stands between the network and a view: identity, origin, permission, limits, headers."""
