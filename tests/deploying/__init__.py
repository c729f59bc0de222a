"""What runs in a container and around it: the entrypoint as a process, the image, the guide, the roles."""
