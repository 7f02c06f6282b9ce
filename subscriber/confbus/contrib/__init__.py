"""confbus in the frameworks that people use: one module each, and none is imported unless asked for."""
