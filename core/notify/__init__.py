"""How the product reaches people: text message, e-mail, webhook, and the notices in the console.

A port is a Protocol with a shipped double. What is sent goes through the outbox: handlers here are
called at least once and are idempotent by the message's key. Nothing personal is ever logged.
"""
