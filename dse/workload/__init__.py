"""Models, tasks and labelled text: where they come from, how they are trained and scored."""
