"""What people type: one module a command group; each command answers, none prints."""
