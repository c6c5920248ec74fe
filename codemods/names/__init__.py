"""What the names in a file stand for: scopes, imports, classes and light type inference."""
