"""Resources that an algorithm hands to agents: models to call and prompts to fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from agentlightning_compat.model.rollouts import AttemptedRollout


class Resource(BaseModel):
    """The base of all resources; `resource_type` tells them apart in JSON."""

    resource_type: Any


class LLM(Resource):
    """A model behind an OpenAI-compatible endpoint."""

    resource_type: Literal["llm"] = "llm"
    endpoint: str
    model: str
    api_key: str | None = None
    sampling_parameters: dict[str, Any] = Field(default_factory=dict)

    def get_base_url(self, *args: Any, **kwargs: Any) -> str:
        """The URL for a client's `base_url`; arguments are there for `ProxyLLM`."""
        return self.endpoint


class ProxyLLM(LLM):
    """A model behind a proxy that wants to know which rollout and attempt is calling."""

    resource_type: Literal["proxy_llm"] = "proxy_llm"  # type: ignore[assignment]

    def get_base_url(self, rollout_id: str | None = None, attempt_id: str | None = None) -> str:
        """The URL with both ids in its path, or the bare endpoint when both are None.

        Raises:
            ValueError: only one of the two was given.
        """
        if rollout_id is None and attempt_id is None:
            return self.endpoint
        if rollout_id is None or attempt_id is None:
            raise ValueError("rollout_id and attempt_id are given together or not at all")
        return with_ids(self.endpoint, rollout_id, attempt_id)

    def with_attempted_rollout(self, rollout: AttemptedRollout) -> LLM:
        """A plain `LLM` whose endpoint names this rollout and attempt."""
        return LLM(
            endpoint=self.get_base_url(rollout.rollout_id, rollout.attempt.attempt_id),
            model=self.model,
            api_key=self.api_key,
            sampling_parameters=dict(self.sampling_parameters),
        )


def with_ids(endpoint: str, rollout_id: str, attempt_id: str) -> str:
    """Put the two ids in the path, before a closing `/v1` if there is one."""
    bare = endpoint.removesuffix("/")
    root = bare.removesuffix("/v1")
    return f"{root}/rollout/{rollout_id}/attempt/{attempt_id}{bare[len(root) :]}"


class PromptTemplate(Resource):
    """A prompt with places to fill."""

    resource_type: Literal["prompt_template"] = "prompt_template"
    template: str
    engine: Literal["jinja", "f-string", "poml"]

    def format(self, **kwargs: Any) -> str:
        """Fill the template.

        Raises:
            NotImplementedError: the engine is not `f-string`; render such a template yourself.
            KeyError: a name that the template needs was not given.
        """
        if self.engine != "f-string":
            raise NotImplementedError(f"templates of engine {self.engine!r} are not rendered here")
        return self.template.format(**kwargs)


ResourceUnion = Annotated[LLM | ProxyLLM | PromptTemplate, Field(discriminator="resource_type")]
NamedResources = dict[str, ResourceUnion]


class ResourcesUpdate(BaseModel):
    """One stored set of resources; `version` counts how often it was replaced, from 1."""

    resources_id: str
    create_time: float
    update_time: float
    version: int
    resources: NamedResources
