"""A small evaluator of PromQL over samples in memory, all steps of a range at once.

It knows what the shipped dashboards use, and says which part of a query it does not know.
docs/dashboard_page.md lists both. Needs promql-parser, of the extra ``inferometer[monitoring]``.
"""

from inferometer.asgi.dashboard.promql.evaluator import evaluate
from inferometer.asgi.dashboard.promql.series import QueryError, Samples, SampleSource, Series

__all__ = ["QueryError", "SampleSource", "Samples", "Series", "evaluate"]
