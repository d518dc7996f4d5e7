"""What scripts/bench/simulator.py measures and shows."""
