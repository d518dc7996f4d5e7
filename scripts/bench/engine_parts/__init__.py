"""What scripts/bench/engine.py runs and shows. Each part that measures Python is a process."""
