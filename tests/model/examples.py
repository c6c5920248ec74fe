"""Hypothesis strategies for every model that crosses a wire."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from agentlightning_compat import model as m

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
times = st.floats(0, 4e9)
maybe_times = st.none() | times
numbers = st.integers(-(2**53), 2**53)
floats = st.floats(allow_nan=False, allow_infinity=False)
maybe_texts = st.none() | texts
json_values = st.recursive(
    st.none() | st.booleans() | numbers | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
dicts = st.dictionaries(texts, json_values, max_size=3)
maybe_dicts = st.none() | dicts
modes = st.none() | st.sampled_from(get_args(m.RolloutMode))
attempt_statuses = st.sampled_from(get_args(m.AttemptStatus))

configs = st.builds(
    m.RolloutConfig,
    timeout_seconds=st.none() | floats,
    unresponsive_seconds=st.none() | floats,
    max_attempts=st.integers(1, 99),
    retry_condition=st.lists(attempt_statuses, max_size=3),
)
_rollout = {
    "rollout_id": texts,
    "input": json_values,
    "start_time": times,
    "end_time": maybe_times,
    "mode": modes,
    "resources_id": maybe_texts,
    "status": st.sampled_from(get_args(m.RolloutStatus)),
    "config": configs,
    "metadata": maybe_dicts,
}
_attempt = {
    "attempt_id": texts,
    "sequence_id": st.integers(1, 99),
    "start_time": times,
    "end_time": maybe_times,
    "status": attempt_statuses,
    "worker_id": maybe_texts,
    "last_heartbeat_time": maybe_times,
    "metadata": maybe_dicts,
}
attempts = st.builds(m.Attempt, rollout_id=texts, **_attempt)
attempted = st.builds(
    lambda fields, attempt: m.AttemptedRollout(
        **fields, attempt=m.Attempt(rollout_id=fields["rollout_id"], **attempt)
    ),
    st.fixed_dictionaries(_rollout),
    st.fixed_dictionaries(_attempt),
)
workers = st.builds(
    m.Worker,
    worker_id=texts,
    status=st.sampled_from(get_args(m.WorkerStatus)),
    heartbeat_stats=maybe_dicts,
    last_heartbeat_time=maybe_times,
    last_dequeue_time=maybe_times,
    last_busy_time=maybe_times,
    last_idle_time=maybe_times,
    current_rollout_id=maybe_texts,
    current_attempt_id=maybe_texts,
)
requests = st.builds(
    m.EnqueueRolloutRequest,
    input=json_values,
    mode=modes,
    resources_id=maybe_texts,
    config=st.none() | configs,
    metadata=maybe_dicts,
)

attribute_values = st.one_of(
    texts,
    st.booleans(),
    numbers,
    floats,
    st.lists(texts, max_size=3),
    st.lists(st.booleans(), max_size=3),
    st.lists(numbers, max_size=3),
    st.lists(floats, max_size=3),
)
attributes = st.dictionaries(texts, attribute_values, max_size=3)
contexts = st.builds(
    m.SpanContext,
    trace_id=texts,
    span_id=texts,
    is_remote=st.booleans(),
    trace_state=st.dictionaries(texts, texts, max_size=2),
)
statuses = st.builds(
    m.TraceStatus,
    status_code=st.sampled_from(get_args(m.StatusCode)),
    description=maybe_texts,
)
events = st.builds(m.Event, name=texts, attributes=attributes, timestamp=maybe_times)
links = st.builds(m.Link, context=contexts, attributes=st.none() | attributes)
core_fields = st.builds(
    m.SpanCoreFields,
    name=texts,
    status=statuses,
    attributes=attributes,
    start_time=maybe_times,
    end_time=maybe_times,
)
spans = st.builds(
    m.Span,
    rollout_id=texts,
    attempt_id=texts,
    sequence_id=numbers,
    trace_id=texts,
    span_id=texts,
    parent_id=maybe_texts,
    name=texts,
    status=statuses,
    attributes=attributes,
    events=st.lists(events, max_size=2),
    links=st.lists(links, max_size=2),
    start_time=maybe_times,
    end_time=maybe_times,
    context=st.none() | contexts,
    parent=st.none() | contexts,
    resource=st.builds(m.OtelResource, attributes=attributes, schema_url=texts),
    kind=texts,  # a field that the model does not know
)

llms = st.fixed_dictionaries(
    {"endpoint": texts, "model": texts, "api_key": maybe_texts, "sampling_parameters": dicts}
)
resources = st.one_of(
    llms.map(lambda fields: m.LLM(**fields)),
    llms.map(lambda fields: m.ProxyLLM(**fields)),
    st.builds(
        m.PromptTemplate, template=texts, engine=st.sampled_from(["jinja", "f-string", "poml"])
    ),
)
updates = st.builds(
    m.ResourcesUpdate,
    resources_id=texts,
    create_time=times,
    update_time=times,
    version=st.integers(1, 9),
    resources=st.dictionaries(texts, resources, max_size=3),
)

triplets = st.builds(
    m.Triplet, prompt=json_values, response=json_values, reward=st.none() | floats, metadata=dicts
)
tasks = st.builds(
    m.Task,
    rollout_id=texts,
    input=json_values,
    mode=modes,
    resources_id=maybe_texts,
    create_time=maybe_times,
    last_claim_time=maybe_times,
    num_claims=st.none() | st.integers(0, 9),
    metadata=dicts,
)
legacy_rollouts = st.builds(
    m.RolloutLegacy,
    rollout_id=texts,
    task=st.none() | tasks,
    final_reward=st.none() | floats,
    triplets=st.none() | st.lists(triplets, max_size=2),
    trace=st.none() | st.lists(dicts, max_size=2),
    logs=st.none() | st.lists(texts, max_size=2),
    metadata=dicts,
)
answers = st.builds(m.GenericResponse, status=texts, message=maybe_texts, data=maybe_dicts)

models = st.one_of(
    configs,
    attempts,
    st.fixed_dictionaries(_rollout).map(lambda fields: m.Rollout(**fields)),
    attempted,
    workers,
    requests,
    core_fields,
    spans,
    updates,
    triplets,
    tasks,
    st.builds(m.TaskIfAny, is_available=st.booleans(), task=st.none() | tasks),
    legacy_rollouts,
    answers,
)
