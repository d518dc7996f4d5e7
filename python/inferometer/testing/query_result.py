"""Queries of a test's own on what the lab has scraped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import promql_parser

from inferometer.testing.durations import Duration, seconds_of, text_of
from inferometer.testing.errors import LabError
from inferometer.testing.promtool_output import Answers, Sample

Ask = Callable[[Sequence[tuple[str, float]]], Answers]


@dataclass(frozen=True)
class Result:
    """What a query gives at a moment.

    Attributes:
        query: The query.
        at: The moment.
        samples: The elements of the result; none: it is empty.
    """

    query: str
    at: float
    samples: tuple[Sample, ...]

    @property
    def value(self) -> float:
        """The value of the only element.

        Raises:
            AssertionError: There is none, or more than one.
        """
        if len(self.samples) != 1:
            got = ", ".join(map(str, self.samples)) or "nothing"
            raise AssertionError(f"{self.query} at {text_of(self.at)}: got {got}, want one element")
        return self.samples[0].value

    def by(self, label: str) -> dict[str, float]:
        """The values by one label."""
        return {dict(sample.labels).get(label, ""): sample.value for sample in self.samples}


class Query:
    """A query that can be asked at any moment of the lab.

    Args:
        query: The query.
        ask: Evaluates queries.
        end: The last moment.

    Raises:
        LabError: It is none.
    """

    def __init__(self, query: str, ask: Ask, end: float) -> None:
        try:
            promql_parser.parse(query)
        except (TypeError, ValueError) as error:
            raise LabError(f"expr: got {query!r} ({error}), want a query") from None
        self._query = query
        self._ask = ask
        self._end = end

    def at(self, moment: Duration) -> Result:
        """Its result at a moment."""
        return self.over([moment])[0]

    def over(self, moments: Sequence[Duration]) -> list[Result]:
        """Its results at several moments, in one run of promtool.

        Raises:
            LabError: It cannot be evaluated, or the lab has not run until then.
        """
        seconds = [seconds_of("at", moment) for moment in moments]
        for moment in seconds:
            if moment > self._end:
                raise LabError(
                    f"at: got {text_of(moment)}, but the lab has run until {text_of(self._end)}: "
                    "run() for longer"
                )
        answers = self._ask([(self._query, moment) for moment in seconds])
        for (query, moment), error in answers.errors.items():
            raise LabError(f"expr: got {query!r} at {text_of(moment)} ({error}), want a query")
        return [
            Result(self._query, moment, answers.values.get((self._query, moment), ()))
            for moment in seconds
        ]
