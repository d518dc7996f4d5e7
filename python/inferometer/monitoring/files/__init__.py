"""The monitoring files as templates, and what fills them in and writes them.

``configs/`` of the repository is what ``write("configs", Settings())`` writes.
"""

from inferometer.monitoring.files.rendering import names, render
from inferometer.monitoring.files.writing import write

__all__ = ["names", "render", "write"]
