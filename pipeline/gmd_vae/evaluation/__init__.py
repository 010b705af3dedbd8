"""What a model learned: figures on windows it never saw, beside baselines, with their uncertainty."""
