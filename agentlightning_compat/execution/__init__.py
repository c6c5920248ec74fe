"""Where algorithms and runners run: threads of one process, or processes around a store server."""
