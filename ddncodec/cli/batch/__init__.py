"""What the commands on many files share: jobs, workers, options, reporting, resuming."""
