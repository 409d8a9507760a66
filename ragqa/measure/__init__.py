"""How well retrieval, evidence, answers, abstention and the checker do, in figures that are each defined once."""
