"""Fine-tuning of tasks, joint training of trunks, and adapters that are learnt from the base."""
