"""The page at ``/dashboard``: Grafana's dashboards where there is no Grafana."""

from inferometer.asgi.dashboard.app import dashboard_app

__all__ = ["dashboard_app"]
