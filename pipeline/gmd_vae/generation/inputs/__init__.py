"""TODO generation/inputs."""
