"""What stands under a tracked cell: live while it runs, a still picture after that."""
