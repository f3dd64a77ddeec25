"""The requests of one operation: good ones, the edges of each field, and drawn by chance."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode

from tests.fuzz.bodies import anchored, good
from tests.fuzz.world import World

OTHER: Final = {"orgs_agents_tokens_destroy": "dead tokens"}  # what the row must be like
BOTH: Final = list(GenerationMode)
Ask = Callable[[Case], None]


class Cases:
    """What one operation is asked. ``Operation`` is schemathesis' own, which has no type."""

    def __init__(self, world: World, operation: Any) -> None:
        self.world = world
        self.operation = operation
        self.name: str = operation.definition.raw["operationId"]
        self.method: str = operation.method.upper()
        self.kinds = kinds(operation.path)

    def path_parameters(self) -> dict[str, Any]:
        """Ids for the address: of a spare where the request may spoil the row it is about."""
        names = list(self.kinds)
        found = {name: self.world.row(kind) for name, kind in self.kinds.items()}
        if self.method != "GET" and names and self.is_about(names[-1]):
            last = names[-1]
            found[last] = self.world.spare(OTHER.get(self.name, self.kinds[last]))
        return found

    def is_about(self, name: str) -> bool:
        """Whether an address names a row that the request may spoil, not only where it is."""
        return name != "org" or self.operation.path.endswith("{org}/")

    def spent(self) -> None:
        """The row in the address has been used up."""
        self.world.spent(OTHER.get(self.name, ""), *self.kinds.values())

    def good(self) -> Iterator[Case]:
        """Requests that should succeed."""
        self.path_parameters()  # first: what a body names belongs to the row in the address
        for body in self.bodies():
            more = {} if body is None else {"body": body, "media_type": "application/json"}
            yield self.operation.Case(path_parameters=self.path_parameters(), **more)

    def bodies(self) -> Iterator[dict[str, Any] | None]:
        """What a request that should succeed says; once nothing where there is nothing to say."""
        body = self.operation.definition.raw.get("requestBody")
        if body is None:
            yield None
        else:
            schema = body["content"]["application/json"]["schema"]
            yield from good(self.world, self.name, self.resolved(schema))

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follow references to the schema itself."""
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = self.operation.schema.raw_schema["components"]["schemas"][name]
        return schema

    def edges(self, every: int, most: int | None) -> Iterator[Case]:
        """Each field at its bounds, beyond them, missing, and of another type.

        One in so many of them, and so many at most.
        """
        schema = self.operation.schema
        cases = schema.iter_coverage_cases(
            self.operation,
            generation_modes=BOTH,
            generation_config=schema.config.generation_for(operation=self.operation),
        )
        return map(self.placed, islice(cases, len(self.name) % every, most and most * every, every))

    def placed(self, case: Case) -> Case:
        """A case about rows that are there, but where the address itself is what is wrong."""
        modes = {place: part.mode for place, part in case.meta.components.items()}
        if modes.get(ParameterLocation.PATH) == GenerationMode.POSITIVE:
            case.path_parameters = self.path_parameters()
        if modes.get(ParameterLocation.BODY) == GenerationMode.POSITIVE:
            case.body = anchored(self.world, case.body)
        return case

    def drawn(self, ask: Ask, examples: int) -> None:
        """Ask what fits the description and what does not, by chance, the same in every run."""
        for mode in BOTH:
            strategy = self.operation.as_strategy(generation_mode=mode)

            @settings(
                max_examples=examples,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=strategy)
            def each(case: Case) -> None:
                ask(self.placed(case))

            try:
                each()
            except Unsatisfiable:  # nothing about it can be wrong
                continue


def kinds(path: str) -> dict[str, str]:
    """The names of an address' parameters and the kind of row that each is the id of."""
    steps = path.strip("/").split("/")
    if "system" in steps:
        return dict.fromkeys((step[1:-1] for step in steps if step.startswith("{")), "system")
    return {step[1:-1]: steps[at - 1] for at, step in enumerate(steps) if step.startswith("{")}
