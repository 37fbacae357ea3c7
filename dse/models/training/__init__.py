"""Fine-tuning of tasks, joint training of trunks, and adapters learnt from the base."""
