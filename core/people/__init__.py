"""Users, roles, the organisation tree and server-side sessions."""
