"""From AMI bytes to call sessions: adapter, pure session logic, queue_log, resync, service."""
