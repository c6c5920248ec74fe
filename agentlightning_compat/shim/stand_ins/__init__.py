"""Names that programs import from agentlightning and that this runtime has no use for."""
