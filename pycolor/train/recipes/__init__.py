"""The options of training runs: those there are, and what was chosen, one TOML file each."""
