"""Counters and gauges for Prometheus; rooms increment them, `web` shows them at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

HTTP_REQUESTS = Counter(
    "hotline_http_requests_total", "Requests answered", ["method", "route", "status"], registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "hotline_http_request_seconds", "Time to answer a request", ["route"], registry=REGISTRY
)
AMI_EVENTS = Counter("hotline_ami_events_total", "AMI events taken in", ["pbx"], registry=REGISTRY)
AMI_CONNECTS = Counter("hotline_ami_connects_total", "AMI logins that succeeded", ["pbx"], registry=REGISTRY)
AMI_QUEUE = Gauge("hotline_ami_queue_depth", "AMI events waiting to be applied", ["pbx"], registry=REGISTRY)
PBX_CONNECTED = Gauge("hotline_pbx_connected", "1 while the PBX answers", ["pbx"], registry=REGISTRY)
CALLS = Counter("hotline_calls_total", "Call sessions ended", ["direction", "outcome"], registry=REGISTRY)
TICKETS = Counter("hotline_tickets_created_total", "Tickets created", ["channel"], registry=REGISTRY)
SOCKETS = Gauge("hotline_live_sockets", "Open WebSockets", registry=REGISTRY)
OUTBOX_DEAD = Gauge("hotline_outbox_dead", "Messages that were given up", registry=REGISTRY)
OUTBOX_WAITING = Gauge("hotline_outbox_waiting", "Messages waiting to be sent", registry=REGISTRY)
LEADER = Gauge("hotline_leader", "1 while this node leads the role", ["role"], registry=REGISTRY)
