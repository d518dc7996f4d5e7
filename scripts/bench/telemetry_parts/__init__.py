"""What scripts/bench/telemetry.py runs and shows. Each part that measures Python is a process."""
