"""What turns uploaded Python into an action and calls it (runtimes.md §2.4, §5.3)."""
