"""Resources in the envelope that the store API has for them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from agentlightning_compat.legacy import target


def resources_update(resources_id: str, resources: Mapping[str, Any]) -> Any:
    """Return a `ResourcesUpdate` from the two fields that it had in 0.1 and 0.2.

    The times are now and the version is 1, as for resources that were just added to a store.
    """
    now = time.time()
    return target.api("ResourcesUpdate", *resources.values())(
        resources_id=resources_id,
        resources=dict(resources),
        create_time=now,
        update_time=now,
        version=1,
    )
