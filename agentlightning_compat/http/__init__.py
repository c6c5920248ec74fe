"""The store over HTTP: paths and bodies are those of agentlightning 0.3's store server."""
