"""What several rules need to know about legacy code: agents, trainers, results, evidence."""
