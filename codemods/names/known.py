"""Names of agentlightning that inference and rules ask for, and the types of their members."""

from __future__ import annotations

CLIENT = "agentlightning.client.AgentLightningClient"
DEV_LOADER = "agentlightning.client.DevTaskLoader"
SERVER = "agentlightning.server.AgentLightningServer"
SERVER_DATA_STORE = "agentlightning.server.ServerDataStore"
LIT_AGENT = "agentlightning.litagent.LitAgent"
TRAINER = "agentlightning.trainer.Trainer"
TRAINER_LEGACY = "agentlightning.trainer.legacy.TrainerLegacy"
AGENT_RUNNER = "agentlightning.runner.AgentRunner"
LEGACY_RUNNER = "agentlightning.runner.legacy.LegacyAgentRunner"
BASE_TRACER = "agentlightning.tracer.base.BaseTracer"
AGENTOPS_TRACER = "agentlightning.tracer.agentops.AgentOpsTracer"
HTTP_TRACER = "agentlightning.tracer.http.HttpTracer"
TRACER = "agentlightning.tracer.base.Tracer"
OTEL_TRACER = "agentlightning.tracer.otel.OtelTracer"
STORE = "agentlightning.store.base.LightningStore"
MEMORY_STORE = "agentlightning.store.memory.InMemoryLightningStore"
STORE_CLIENT = "agentlightning.store.client_server.LightningStoreClient"
STORE_SERVER = "agentlightning.store.client_server.LightningStoreServer"
LLM_PROXY = "agentlightning.llm_proxy.LLMProxy"
TRIPLET_EXPORTER = "agentlightning.tracer.triplet.TripletExporter"
REWARD = "agentlightning.reward.reward"
LIGHTNING_CLI = "agentlightning.config.lightning_cli"
CONFIGURE_LOGGER = "agentlightning.logging.configure_logger"
ROLLOUT = "agentlightning.types.Rollout"
RAW_RESULT = "agentlightning.types.RolloutRawResult"
ROLLOUT_LEGACY = "agentlightning.types.core.RolloutLegacy"
TASK = "agentlightning.types.Task"
TRIPLET = "agentlightning.types.Triplet"
LLM = "agentlightning.types.LLM"
HOOK = "agentlightning.types.core.Hook"
LIT_RUNNER = "agentlightning.runner.agent.LitAgentRunner"
RESOURCES_UPDATE = "agentlightning.types.ResourcesUpdate"

# `from agentlightning import reward` binds the decorator under 0.1 (a module under 0.2 and 0.3);
# legacy code means the decorator, and no import statement can mean the module by that spelling.
TOP_LEVEL_FUNCTIONS = {"agentlightning.reward": REWARD}

RUNNERS = frozenset({AGENT_RUNNER, LEGACY_RUNNER})
TRAINERS = frozenset({TRAINER, TRAINER_LEGACY})

# Other classes of the store API that hand out the store.
_WITH_STORE = (
    "agentlightning.runner.agent.LitAgentRunner",
    "agentlightning.runner.base.Runner",
    "agentlightning.Runner",
    "agentlightning.algorithm.base.Algorithm",
)

ALGORITHMS = (
    "agentlightning.algorithm.base.Algorithm",
    "agentlightning.algorithm.verl.interface.VERL",
    "agentlightning.VERL",
)

# Tracers that came with the store API, by each path that they are imported from.
_LATER_TRACERS = [
    f"agentlightning.{path}Tracer"
    for name in ("Dummy", "Weave")
    for path in (name, f"tracer.{name}", f"tracer.{name.lower()}.{name}")
]

# Bases that matter for inherited members, inside agentlightning itself.
BASES: dict[str, tuple[str, ...]] = {
    DEV_LOADER: (CLIENT,),
    TRAINER: (TRAINER_LEGACY,),
    LEGACY_RUNNER: (AGENT_RUNNER,),
    AGENTOPS_TRACER: (BASE_TRACER,),
    HTTP_TRACER: (BASE_TRACER,),
    MEMORY_STORE: (STORE,),
    STORE_CLIENT: (STORE,),
    STORE_SERVER: (STORE,),
    BASE_TRACER: (TRACER,),
    OTEL_TRACER: (TRACER,),
    **dict.fromkeys(_LATER_TRACERS, (TRACER,)),
}

# class -> member -> class of its value (of the call's value, for a method)
MEMBER_TYPES: dict[str, dict[str, str]] = {
    LIT_AGENT: {
        "trainer": TRAINER,
        "get_trainer": TRAINER,
        "runner": AGENT_RUNNER,
        "get_runner": AGENT_RUNNER,
        "tracer": BASE_TRACER,
        "get_tracer": BASE_TRACER,
    },
    **{path: {"get_store": STORE, "get_llm_proxy": LLM_PROXY} for path in _WITH_STORE},
    LLM_PROXY: {"get_store": STORE, "store": STORE},
    TRAINER: {"store": STORE, "llm_proxy": LLM_PROXY},
    TRAINER_LEGACY: {"client": CLIENT, "tracer": BASE_TRACER, "triplet_exporter": TRIPLET_EXPORTER},
    AGENT_RUNNER: {
        "client": CLIENT,
        "agent": LIT_AGENT,
        "tracer": BASE_TRACER,
        "triplet_exporter": TRIPLET_EXPORTER,
    },
    CLIENT: {
        "poll_next_task": TASK,
        "poll_next_task_async": TASK,
        "get_resources_by_id": RESOURCES_UPDATE,
        "get_resources_by_id_async": RESOURCES_UPDATE,
        "get_latest_resources": RESOURCES_UPDATE,
        "get_latest_resources_async": RESOURCES_UPDATE,
    },
    SERVER: {
        "get_completed_rollout": ROLLOUT,
        "poll_completed_rollout": ROLLOUT,
    },
}

# methods that give a list: class -> member -> class of one element
ELEMENT_TYPES: dict[str, dict[str, str]] = {
    SERVER: {"retrieve_completed_rollouts": ROLLOUT},
}

# Members that are called; the others are read as attributes.
METHODS = {name for members in MEMBER_TYPES.values() for name in members} - {
    "trainer",
    "runner",
    "tracer",
    "agent",
    "triplet_exporter",
    "store",
    "llm_proxy",
}
