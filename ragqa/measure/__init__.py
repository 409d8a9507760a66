"""How well the parts do their work: pure functions over what they returned."""
