"""Names of agentlightning that this package does not have, and what to do without them."""

from __future__ import annotations

_OVER_THE_WIRE = (
    " Install agentlightning 0.3.0 in an environment of its own (Python 3.10 or 3.11) and run it"
    " there as the algorithm: Trainer(algorithm=..., strategy={'type': 'cs', 'role':"
    " 'algorithm'}).fit(agent, dataset). Its store server speaks the same protocol, so the runners"
    " can be of this package: Trainer(strategy={'type': 'cs', 'role': 'runner', 'server_host':"
    " ..., 'server_port': 4747}).fit(agent)."
)

# Not in __all__: `from agentlightning_compat import *` has to work.
ABSENT = {
    "APO": f"it needs poml and an LLM that writes prompts.{_OVER_THE_WIRE}",
    "VERL": f"it trains on a GPU stack (verl, vLLM, Ray).{_OVER_THE_WIRE}",
    "LLMProxy": (
        "it is a LiteLLM server. Run `litellm` (or vLLM) by itself and give its address to the"
        " agents as a resource: LLM(endpoint=..., model=...), or ProxyLLM(...) for a proxy that"
        " wants the rollout in the path. Trainer(llm_proxy=...) takes any object with start, stop,"
        " is_running and set_store, and a store server takes what a proxy exports over OTLP."
    ),
    "CollectionBasedLightningStore": (
        "stores are not made of collections here. Use InMemoryLightningStore,"
        " SqliteLightningStore or PostgresLightningStore; a store of your own subclasses"
        " LightningStore."
    ),
    "MongoLightningStore": (
        "use PostgresLightningStore, which many machines can share, or SqliteLightningStore."
        " With a Mongo store that has to stay, run agentlightning 0.3.0's `agl store --backend"
        " mongo` and connect to it with LightningStoreClient('http://host:4747')."
    ),
    "WeaveTracer": (
        "use OtelTracer, which takes every span that OpenTelemetry ends; Weave can export its"
        " calls to OpenTelemetry."
    ),
}


def explain(name: str) -> ImportError:
    """The error for a name that is not here."""
    return ImportError(f"agentlightning_compat has no {name}: {ABSENT[name]}", name=name)
