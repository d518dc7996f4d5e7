"""A monitoring stack on this machine: Prometheus, Alertmanager, a webhook receiver, a service."""
