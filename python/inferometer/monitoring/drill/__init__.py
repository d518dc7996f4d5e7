"""Alert drills: a fault is injected, the alert has to arrive, and to resolve once it is gone."""
