"""How well retrieval, evidence, answers and abstention do, in figures that are each defined once."""
