"""Where rollouts, attempts, spans, resources and workers are kept."""
