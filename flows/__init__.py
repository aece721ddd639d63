"""What is run and deployed: the campaign, the step, and the command."""
