"""A process that keeps the models in memory and answers for commands that are started beside it.

`client` hands a command over, `server` forks a process for it, `request` runs it there as if it had been started where
the client was. `place` says where the two meet and `wire` how they speak. What a command loads before it knows whether
there is a warm process, `client`, `place` and `wire`, imports nothing that takes milliseconds.
"""
