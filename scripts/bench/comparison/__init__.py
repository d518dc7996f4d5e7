"""What benches share that measure ours and peers in turns: rounds, spreads, the table."""
