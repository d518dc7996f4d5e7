"""The page at ``/dashboard``: Grafana's dashboards where there is no Grafana."""
