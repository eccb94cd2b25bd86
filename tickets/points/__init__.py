"""Where a matter is, as a point on the map; whoever sent it in gave it, nothing here guesses one."""
