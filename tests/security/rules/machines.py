"""Machine clients: their list is the security administrator's, their routes are for no person at all."""

from core.people.permissions import Role
from tests.security.rules.roles import ANYBODY, MACHINES

SECURITY = frozenset({Role.SECURITY_ADMIN})

ALLOWED: dict[tuple[str, str], frozenset[Role] | str] = {
    ("GET", "/admin/machines"): SECURITY,
    ("POST", "/admin/machines"): SECURITY,
    ("POST", "/admin/machines/{client_id}/renew"): SECURITY,
    ("POST", "/admin/machines/{client_id}/invite"): SECURITY,
    ("POST", "/admin/machines/{client_id}/revoke"): SECURITY,
    ("POST", "/api/v1/cti/{machine_token}"): MACHINES,
    ("GET", "/api/v1/openapi.json"): ANYBODY,
    ("GET", "/api/v1/tickets"): MACHINES,
    ("POST", "/api/v1/tickets"): MACHINES,
    ("GET", "/api/v1/tickets/{number}"): MACHINES,
    ("POST", "/api/v1/tickets/{number}/acts"): MACHINES,
    ("POST", "/api/v1/tickets/{number}/actions"): MACHINES,
    ("POST", "/api/v1/tickets/{number}/outer-number"): MACHINES,
    ("POST", "/api/v1/tickets/{number}/point/withdraw"): MACHINES,
    ("GET", "/api/v1/tickets/{number}/attachments"): MACHINES,
    ("POST", "/api/v1/tickets/{number}/attachments"): MACHINES,
    ("GET", "/api/v1/tickets/{number}/attachments/{attachment_id}"): MACHINES,
    ("GET", "/api/v1/categories"): MACHINES,
    ("GET", "/api/v1/units"): MACHINES,
    ("GET", "/api/v1/webhooks"): MACHINES,
    ("POST", "/api/v1/webhooks"): MACHINES,
    ("POST", "/api/v1/webhooks/{webhook_id}/revoke"): MACHINES,
    ("GET", "/api/v1/webhooks/{webhook_id}/deliveries"): MACHINES,
    ("POST", "/api/v1/deliveries/{delivery_id}/replay"): MACHINES,
    ("GET", "/open311/v2/openapi.json"): ANYBODY,
    ("GET", "/open311/v2/discovery.{format}"): ANYBODY,
    ("GET", "/open311/v2/services.{format}"): ANYBODY,
    ("GET", "/open311/v2/services/{service_code}.{format}"): ANYBODY,
    ("GET", "/open311/v2/requests.{format}"): ANYBODY,
    ("GET", "/open311/v2/requests/{request_id}.{format}"): ANYBODY,
    ("GET", "/open311/v2/tokens/{token}.{format}"): ANYBODY,
    ("GET", "/open311/v2/servicerequestupdates.{format}"): ANYBODY,
    ("POST", "/open311/v2/requests.{format}"): MACHINES,
}
