"""What to ask next, how good the learner is, and when to stop."""
