// Some seeds of the simulator, run with the fast tests.
