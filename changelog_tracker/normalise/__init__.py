"""Raw records -> settings: names, values, noise and secrets."""
